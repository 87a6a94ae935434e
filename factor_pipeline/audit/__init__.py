"""The look-ahead audit: rebuild without the future, and see whether the past stays as it was."""
