// System calls on groups of files for Python: lists of plain tuples in and out.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "bind/convert.h"
#include "bind/module.h"
#include "bind/records.h"
#include "io/file_group.h"

namespace py = pybind11;
using namespace pybind11::literals;

namespace ait {
namespace {

py::tuple identity_tuple(const FileIdentity& identity) {
  return tuple_of(IdentityRecord{object(identity.device), object(identity.inode),
                                 object(identity.size_bytes), object(identity.changed_ns)});
}

FileIdentity parse_identity(const py::handle& identity) {
  const auto given = record_of<IdentityRecord>(identity);
  return {py::cast<uint64_t>(given.device), py::cast<uint64_t>(given.inode),
          py::cast<uint64_t>(given.size_bytes), py::cast<int64_t>(given.changed_ns)};
}

std::vector<KnownFile> parse_known_files(const py::iterable& files) {
  std::vector<KnownFile> parsed;
  for (const py::handle file : files) {
    const auto given = record_of<KnownFileRecord>(file);
    parsed.push_back({path_text(given.path), parse_identity(given.identity)});
  }
  return parsed;
}

py::list claim(const py::iterable& paths) {
  std::vector<std::string> names;
  for (const py::handle path : paths) names.push_back(path_text(path));
  std::vector<Claim> claims;
  {
    const py::gil_scoped_release release;
    claims = claim_files(names);
  }
  py::list rows;
  for (const Claim& made : claims)
    rows.append(
        tuple_of(ClaimRecord{object(made.error), object(made.descriptor), object(made.is_busy),
                             object(made.mode), identity_tuple(made.identity)}));
  return rows;
}

py::list create(const py::iterable& files) {
  std::vector<NewFileRecord> given;  // their bytes stay until they are written
  std::vector<NewFile> parsed;
  for (const py::handle file : files) {
    const NewFileRecord& fields = given.emplace_back(record_of<NewFileRecord>(file));
    const auto content = py::cast<std::string_view>(fields.content);
    parsed.push_back({path_text(fields.path),
                      py::cast<unsigned>(fields.mode),
                      {reinterpret_cast<const uint8_t*>(content.data()), content.size()}});
  }
  std::vector<Created> made;
  {
    const py::gil_scoped_release release;
    made = create_files(parsed);
  }
  py::list rows;
  for (const Created& created : made)
    rows.append(tuple_of(CreatedRecord{object(created.error), object(created.descriptor)}));
  return rows;
}

std::vector<int> rename(const py::iterable& names) {
  std::vector<NewName> parsed;
  for (const py::handle name : names) {
    const auto given = record_of<NewNameRecord>(name);
    parsed.push_back({path_text(given.path), path_text(given.new_path)});
  }
  const py::gil_scoped_release release;
  return rename_files(parsed);
}

std::vector<bool> unchanged(const py::iterable& files) {
  const std::vector<KnownFile> parsed = parse_known_files(files);
  const py::gil_scoped_release release;
  return are_unchanged(parsed);
}

std::vector<int> remove(const py::iterable& files) {
  const std::vector<KnownFile> parsed = parse_known_files(files);
  const py::gil_scoped_release release;
  return remove_unchanged(parsed);
}

}  // namespace

void bind_file_group(py::module_& m) {
  const auto released = py::call_guard<py::gil_scoped_release>();
  m.def("claim_files", &claim, "paths"_a, "Open and lock files against other converters.");
  m.def("create_files", &create, "files"_a, "Write new files and begin to bring them to the disk.");
  m.def("sync_files", &sync_files, "descriptors"_a, released, "Wait until files are on the disk.");
  m.def("rename_files", &rename, "names"_a, "Rename files: (from, to).");
  m.def("are_unchanged", &unchanged, "files"_a, "Whether nothing has changed at (path, identity).");
  m.def("remove_unchanged", &remove, "files"_a, "Remove files at (path, identity), if unchanged.");
  m.def("close_files", &close_files, "descriptors"_a, released, "Close descriptors.");
}

}  // namespace ait
