//! Sizes in error messages.

/// Returns a size as `64 MiB`, or as `1000 bytes` if it is not a multiple of 1 MiB.
pub fn display_bytes(bytes: usize) -> String {
    const MIB: usize = 1024 * 1024;
    if bytes > 0 && bytes.is_multiple_of(MIB) { format!("{} MiB", bytes / MIB) } else { format!("{bytes} bytes") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiples_of_a_mebibyte_are_displayed_in_mib() {
        for (bytes, expected) in [(0, "0 bytes"), (1000, "1000 bytes"), (1 << 20, "1 MiB"), (64 << 20, "64 MiB")] {
            assert_eq!(display_bytes(bytes), expected);
        }
    }
}
