"""The rules by which a tensor of the my side finds its counterpart, one file each."""
