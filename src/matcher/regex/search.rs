//! Where an expression matches first, and what its groups took: all ways through the program side by side, the preferred ones before the
//! others, so that a byte is looked at once.

use std::ops::Range;

use super::program::{Instruction, Place, Program};

/// A way through the program: the next instruction, and the places it has remembered.
struct Thread {
    next: u32,
    places: Vec<Option<usize>>,
}

/// What a match's groups took, the whole match first.
pub(super) struct Found(Vec<Option<usize>>);

impl Found {
    /// The part of the text that a group took; none if it had no part in the match.
    pub fn group(&self, number: usize) -> Option<Range<usize>> {
        let place = |at: usize| self.0.get(at).copied().flatten();
        Some(place(2 * number)?..place(2 * number + 1)?)
    }
}

impl Program {
    /// The leftmost match that begins at `from` or behind it, the one that a backtracking engine would find. Each byte that is looked at
    /// is taken from `looks`; with none left there is no match.
    pub fn find(&self, text: &[u8], from: usize, groups: usize, looks: &mut usize) -> Option<Found> {
        let mut found = None;
        let mut threads: Vec<Thread> = Vec::new();
        for at in from..=text.len() {
            *looks = looks.checked_sub(1)?;
            if found.is_none() {
                threads.push(Thread {
                    next: self.start(),
                    places: vec![None; 2 * groups + 2],
                });
            }
            let place = Place {
                before: at.checked_sub(1).and_then(|before| text.get(before)).copied(),
                after: text.get(at).copied(),
            };
            let mut next = Vec::new();
            let mut seen = vec![false; self.len()];
            threads.reverse();
            while let Some(Thread {
                next: number,
                mut places,
            }) = threads.pop()
            {
                let Some(seen) = seen.get_mut(number as usize).filter(|seen| !**seen) else {
                    continue;
                };
                *seen = true;
                match (self.get(number)?, place.after) {
                    (Instruction::Byte(set, next_number), Some(byte)) if set.contains(byte) => next.push(Thread {
                        next: *next_number,
                        places,
                    }),
                    (Instruction::Look(look, next), _) if look.holds(place) => {
                        threads.push(Thread { next: *next, places })
                    }
                    (Instruction::Split(first, second), _) => {
                        threads.push(Thread {
                            next: *second,
                            places: places.clone(),
                        });
                        threads.push(Thread { next: *first, places });
                    }
                    (Instruction::Save(slot, next), _) => {
                        if let Some(place) = places.get_mut(*slot) {
                            *place = Some(at);
                        }
                        threads.push(Thread { next: *next, places });
                    }
                    (Instruction::Match, _) => {
                        // Whatever was behind it is less preferred.
                        found = Some(Found(places));
                        break;
                    }
                    _ => {}
                }
            }
            threads = next;
            if threads.is_empty() && found.is_some() {
                break;
            }
        }
        found
    }
}
