//! (module definition)
