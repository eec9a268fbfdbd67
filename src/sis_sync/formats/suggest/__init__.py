"""Suggest: which preset, or which mapper lines, the header and the first records of a file ask for."""
