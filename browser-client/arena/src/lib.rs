//! The arena's client for web pages. Another game's is the same with its own type.

tickwire_browser::export!(tickwire_arena::Arena);
