//! Stories that drive the whole daemon; see `tests/`.
