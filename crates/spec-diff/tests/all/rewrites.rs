//! Rewrites that change nothing on the wire, and changes that have an inverse.
