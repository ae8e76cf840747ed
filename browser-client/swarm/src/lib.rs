//! The swarm's client for web pages.

tickwire_browser::export!(tickwire_swarm::Swarm);
