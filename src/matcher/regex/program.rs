//! An expression as a machine: instructions that each take a byte, or go on without one.

use super::syntax::{ByteSet, Look, Node, is_word};

/// Instructions, each with the numbers of those that come after it.
#[derive(Debug, Clone)]
pub(super) struct Program {
    instructions: Vec<Instruction>,
    start: u32,
    /// Whether a condition looks at the byte before a place.
    pub looks: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Instruction {
    /// Takes one byte of these.
    Byte(ByteSet, u32),
    /// Goes on at a place that fulfils this.
    Look(Look, u32),
    /// Goes on here, or else there.
    Split(u32, u32),
    /// Remembers the place under a number.
    Save(usize, u32),
    /// All of it is done.
    Match,
}

/// The bytes on both sides of a place; none at the text's ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub before: Option<u8>,
    pub after: Option<u8>,
}

/// It would take more memory than it may.
pub(super) struct TooBig;

impl Program {
    /// Compiles an expression into at most `memory` bytes; `captures` says whether groups are remembered.
    pub fn new(node: &Node, captures: bool, memory: usize) -> Result<Self, TooBig> {
        let mut compiler = Compiler {
            instructions: Vec::new(),
            most: memory / size_of::<Instruction>(),
            captures,
            looks: false,
        };
        let end = compiler.push(Instruction::Match)?;
        let start = compiler.group(0, node, end)?;
        Ok(Program {
            instructions: compiler.instructions,
            start,
            looks: compiler.looks,
        })
    }

    pub fn get(&self, number: u32) -> Option<&Instruction> {
        self.instructions.get(number as usize)
    }

    pub fn start(&self) -> u32 {
        self.start
    }

    pub fn len(&self) -> usize {
        self.instructions.len()
    }

    /// Every set of bytes that it asks for.
    pub fn byte_sets(&self) -> impl Iterator<Item = &ByteSet> {
        self.instructions.iter().filter_map(|instruction| match instruction {
            Instruction::Byte(set, _) => Some(set),
            _ => None,
        })
    }
}

impl Node {
    fn may_take_nothing(&self) -> bool {
        match self {
            Node::Empty | Node::Look(_) => true,
            Node::Byte(_) => false,
            Node::Group(_, node) => node.may_take_nothing(),
            Node::Concat(nodes) => nodes.iter().all(Node::may_take_nothing),
            Node::Alternation(nodes) => nodes.iter().any(Node::may_take_nothing),
            Node::Repetition { node, min, .. } => *min == 0 || node.may_take_nothing(),
        }
    }
}

impl Look {
    /// Whether a place fulfils it.
    pub fn holds(self, place: Place) -> bool {
        let word = |byte: Option<u8>| byte.is_some_and(|byte| is_word(&byte));
        let is_boundary = || word(place.before) != word(place.after);
        match self {
            Look::Start => place.before.is_none(),
            Look::End => place.after.is_none(),
            Look::LineStart => place.before.is_none_or(|byte| byte == b'\n'),
            Look::LineEnd => place.after.is_none_or(|byte| byte == b'\n'),
            Look::WordBoundary => is_boundary(),
            Look::NotWordBoundary => !is_boundary(),
        }
    }
}

/// Each part is compiled with the number of what comes after it, so from the end to the beginning.
struct Compiler {
    instructions: Vec<Instruction>,
    most: usize,
    captures: bool,
    looks: bool,
}

impl Compiler {
    fn push(&mut self, instruction: Instruction) -> Result<u32, TooBig> {
        let number = u32::try_from(self.instructions.len()).map_err(|_| TooBig)?;
        if self.instructions.len() >= self.most {
            return Err(TooBig);
        }
        self.instructions.push(instruction);
        Ok(number)
    }

    fn group(&mut self, number: usize, node: &Node, next: u32) -> Result<u32, TooBig> {
        if !self.captures {
            return self.node(node, next);
        }
        let end = self.push(Instruction::Save(2 * number + 1, next))?;
        let inside = self.node(node, end)?;
        self.push(Instruction::Save(2 * number, inside))
    }

    fn node(&mut self, node: &Node, next: u32) -> Result<u32, TooBig> {
        match node {
            Node::Empty => Ok(next),
            Node::Byte(set) => self.push(Instruction::Byte(*set, next)),
            Node::Look(look) => {
                self.looks = true;
                self.push(Instruction::Look(*look, next))
            }
            Node::Group(number, node) => self.group(*number, node, next),
            Node::Concat(nodes) => nodes.iter().rev().try_fold(next, |next, node| self.node(node, next)),
            Node::Alternation(nodes) => {
                let mut branches = nodes.iter().rev();
                let last = branches.next().map_or(Ok(next), |node| self.node(node, next))?;
                branches.try_fold(last, |later, node| {
                    let branch = self.node(node, next)?;
                    self.push(Instruction::Split(branch, later))
                })
            }
            Node::Repetition { node, min, max, greedy } => self.repetition(node, *min, *max, *greedy, next),
        }
    }

    fn repetition(&mut self, node: &Node, min: u32, max: Option<u32>, greedy: bool, next: u32) -> Result<u32, TooBig> {
        let split = |inside, after| match greedy {
            true => Instruction::Split(inside, after),
            false => Instruction::Split(after, inside),
        };
        let (mut begin, must) = match max {
            Some(max) => {
                let more = (min..max).try_fold(next, |rest, _| {
                    let inside = self.node(node, rest)?;
                    self.push(split(inside, next))
                })?;
                (more, min)
            }
            None => {
                let again = self.push(Instruction::Match)?;
                let inside = self.node(node, again)?;
                if let Some(instruction) = self.instructions.get_mut(again as usize) {
                    *instruction = split(inside, next);
                }
                match min {
                    // A turn of the loop that takes nothing must not lead past it before its time: RE2 has it in two parts as well.
                    0 if node.may_take_nothing() => (self.push(split(inside, next))?, 0),
                    0 => (again, 0),
                    _ => (inside, min - 1),
                }
            }
        };
        for _ in 0..must {
            begin = self.node(node, begin)?;
        }
        Ok(begin)
    }
}
