//! Whether an expression takes a whole value: one step a byte.
//!
//! The states of all ways through the program at once, made when a value first comes by them and kept within a bound. A value that
//! comes by more of them than there is room for costs what it costs without: some steps a byte, and never more than the program is long.

use hashbrown::HashMap;

use super::program::{Instruction, Place, Program};
use super::syntax::{ByteSet, is_word};

/// What all states of one expression may take.
const ROOM: usize = 32 << 10;
/// The state without a way on.
const DEAD: u32 = 0;
const START: u32 = 1;
/// A step that was not made yet.
const UNKNOWN: u32 = u32::MAX;

/// The states so far.
#[derive(Debug, Clone, Default)]
pub(super) struct States {
    /// The bytes that the program tells apart, by numbers.
    classes: Vec<u8>,
    numbers: HashMap<State, u32>,
    states: Vec<State>,
    /// Where a state goes, by the byte's class; behind the classes, whether the value may end.
    steps: Vec<u32>,
    /// Steps of one state.
    width: usize,
    room: usize,
}

/// Instructions that may come next, and the byte before, as far as it matters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct State {
    instructions: Box<[u32]>,
    before: Option<u8>,
}

impl States {
    /// Whether `program` takes all of `value`. It has to be the same program each time.
    pub fn take(&mut self, program: &Program, value: &[u8]) -> bool {
        if self.classes.is_empty() {
            self.reset(program);
        }
        let mut state = START;
        for byte in value {
            let class = self.classes.get(usize::from(*byte)).copied().unwrap_or_default();
            state = self.step(program, state, usize::from(class), Some(*byte));
            if state == DEAD {
                return false;
            }
        }
        self.step(program, state, self.width.saturating_sub(1), None) != DEAD
    }

    /// Where a state goes. The value's end leads to the beginning if it may be there, and nowhere if not.
    fn step(&mut self, program: &Program, state: u32, class: usize, byte: Option<u8>) -> u32 {
        let step = state as usize * self.width + class;
        match self.steps.get(step) {
            Some(&UNKNOWN) => {}
            known => return known.copied().unwrap_or(DEAD),
        }
        let next = match self.states.get(state as usize) {
            Some(state) => state.after(program, byte),
            None => return DEAD,
        };
        let to = match (next, byte) {
            (None, _) => DEAD,
            (Some(_), None) => START,
            (Some(next), Some(_)) => match self.numbers.get(&next) {
                Some(number) => *number,
                None if self.room < next.size(self.width) => {
                    self.reset(program);
                    return self.add(next);
                }
                None => self.add(next),
            },
        };
        if let Some(step) = self.steps.get_mut(step) {
            *step = to;
        }
        to
    }

    /// Leaves the two states that are always there.
    fn reset(&mut self, program: &Program) {
        let (classes, width) = classes(program);
        *self = States {
            classes,
            width: width + 1,
            room: ROOM,
            ..States::default()
        };
        self.add(State::default());
        self.add(State {
            instructions: [program.start()].into(),
            before: None,
        });
    }

    fn add(&mut self, state: State) -> u32 {
        let number = u32::try_from(self.states.len()).unwrap_or_default();
        self.room = self.room.saturating_sub(state.size(self.width));
        self.steps.resize(self.steps.len() + self.width, UNKNOWN);
        self.states.push(state.clone());
        self.numbers.insert(state, number);
        number
    }
}

impl State {
    /// The state behind a byte; behind the value's end, any if it may end here.
    fn after(&self, program: &Program, byte: Option<u8>) -> Option<State> {
        let place = Place {
            before: self.before,
            after: byte,
        };
        let mut reached = vec![false; program.len()];
        let mut seen = reached.clone();
        let mut stack = self.instructions.to_vec();
        while let Some(number) = stack.pop() {
            let Some(seen) = seen.get_mut(number as usize).filter(|seen| !**seen) else {
                continue;
            };
            *seen = true;
            match (program.get(number)?, byte) {
                (Instruction::Byte(set, after), Some(byte)) if set.contains(byte) => {
                    *reached.get_mut(*after as usize)? = true
                }
                (Instruction::Look(look, after), _) if look.holds(place) => stack.push(*after),
                (Instruction::Split(first, second), _) => stack.extend([*first, *second]),
                (Instruction::Save(_, after), _) => stack.push(*after),
                (Instruction::Match, None) => return Some(State::default()),
                _ => {}
            }
        }
        let reached = (0..).zip(reached).filter(|(_, reached)| *reached);
        let instructions: Box<[u32]> = reached.map(|(number, _)| number).collect();
        (!instructions.is_empty()).then(|| State {
            instructions,
            before: byte.filter(|_| program.looks).map(representative),
        })
    }

    /// The bytes it takes, about.
    fn size(&self, width: usize) -> usize {
        2 * (size_of::<State>() + size_of_val(&*self.instructions)) + width * 4
    }
}

/// As good as `byte` for every look.
fn representative(byte: u8) -> u8 {
    match byte {
        b'\n' => b'\n',
        byte if is_word(&byte) => b'a',
        _ => b' ',
    }
}

/// A number for each byte, the same for neighbours that no instruction tells apart, and how many numbers there are.
fn classes(program: &Program) -> (Vec<u8>, usize) {
    let looks = [ByteSet::of(is_word), ByteSet::one(b'\n')];
    let looks = looks.iter().filter(|_| program.looks);
    let borders = program
        .byte_sets()
        .chain(looks)
        .fold(ByteSet::EMPTY, |borders, set| borders.union(set.borders()));
    let mut class = 0_u8;
    let numbers = (0..=u8::MAX).map(|byte| {
        class += u8::from(byte > 0 && borders.contains(byte));
        class
    });
    let numbers = numbers.collect();
    (numbers, usize::from(class) + 1)
}
