//! Failures by kind, bucket by bucket.

use super::add;
use crate::window::{KINDS, kind_index};

/// One row of counts for each bucket, and their sum.
#[derive(Clone, Debug)]
pub(super) struct Kinds {
    buckets: Box<[[u32; KINDS]]>,
    sums: [u64; KINDS],
}

impl Kinds {
    pub(super) fn new(buckets: usize) -> Self {
        Self { buckets: vec![[0; KINDS]; buckets].into_boxed_slice(), sums: [0; KINDS] }
    }

    pub(super) fn add(&mut self, slot: usize, kind: u8, n: u64) {
        let index = kind_index(kind);
        add(&mut self.buckets[slot][index], &mut self.sums[index], n);
    }

    pub(super) fn sum(&self, kind: u8) -> u64 {
        self.sums[kind_index(kind)]
    }

    /// Adds what `from` has in its bucket.
    pub(super) fn add_all(&mut self, slot: usize, from: &Self, from_slot: usize) {
        for (kind, &n) in (0u8..).zip(&from.buckets[from_slot]) {
            self.add(slot, kind, u64::from(n));
        }
    }

    pub(super) fn empty(&mut self, slot: usize) {
        for (count, sum) in self.buckets[slot].iter_mut().zip(&mut self.sums) {
            *sum -= u64::from(*count);
            *count = 0;
        }
    }

    pub(super) fn clear(&mut self) {
        self.buckets.fill([0; KINDS]);
        self.sums = [0; KINDS];
    }

    pub(super) fn heap_bytes(&self) -> usize {
        size_of_val(&*self.buckets)
    }
}
