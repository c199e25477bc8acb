"""The page: one HTML file a run, with the rows of all ranks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ait_cmp.config import PathText, expanded
from ait_cmp.errors import ConfigError
from ait_cmp.report.report_files import ReportNames, write_whole
from ait_cmp.report.sinks import GraphLines, StepReport

if TYPE_CHECKING:
    from ait_cmp.report.comparison import Comparison


class HtmlSink:
    """A file of a name that the user gave is written anew; else it lies beside the reports."""

    def __init__(self, names: ReportNames | None, path: Path | None) -> None:
        self._names = names
        self._path = path

    @classmethod
    def of(cls, names: ReportNames | None, html: bool | PathText) -> HtmlSink:
        """The sink that `--html [FILE]` asks for.

        Args:
            names: Names of the reports, None if there is no output folder.
            html: The file, or True for one beside the reports.

        Raises:
            ConfigError: It has no place, or it is a folder.
        """
        path = None if isinstance(html, bool) else expanded(html).absolute()
        if path is None and names is None:
            message = "html: the name of a file expected, as there is no output folder"
            raise ConfigError(message)
        if path is not None and path.is_dir():
            message = f"html: the name of a file expected, {path} is a folder"
            raise ConfigError(message)
        return cls(names, path)

    def write(self, report: StepReport) -> None:
        """Nothing: the page is made of the rows at the end."""

    def write_lines(self, lines: GraphLines) -> None:
        """Nothing, as of steps."""

    def finish(self, result: Comparison) -> None:
        """Write the file."""
        self.put(result.to_html(), result)

    def put(self, page: str, result: Comparison) -> None:
        """Write a page of the result, and tell where it is."""
        content = page.encode("utf-8")
        if self._path is not None:
            write_whole(self._path, content)
            result.html_path = self._path
            return
        assert self._names is not None
        file = self._names.create(self._names.of_rank(-1), ".html")
        try:
            file.append([content])
        finally:
            file.close()
        result.html_path = file.path

    def close(self) -> None:
        """Nothing is open."""
