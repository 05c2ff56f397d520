//! Sets of values by their addresses.

use std::{
    collections::HashSet,
    hash::{BuildHasherDefault, Hasher},
};

/// A set of addresses of values. They are not chosen by anyone, so that they need no hash that resists attacks.
pub type Addresses = HashSet<usize, BuildHasherDefault<AddressHasher>>;

/// Spreads the bits of an address.
#[derive(Debug, Clone, Copy, Default)]
pub struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        // Addresses have zeros at their end, and tables use the last bits.
        self.0 ^ (self.0 >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_usize(usize::from(*byte));
        }
    }

    fn write_usize(&mut self, address: usize) {
        let address = u64::try_from(address).unwrap_or_default();
        self.0 = (self.0 ^ address).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}
