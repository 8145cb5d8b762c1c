//! A trie of path patterns. A walk visits each node at most once, whatever the path, because a node stands at one
//! depth and has one way to it: backtracking costs at most the operator's own patterns, never more for a longer path.

use smallvec::SmallVec;

use super::pattern::Segment;

/// What stands at one path shape.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Shape {
    /// Indices of the routes, in the order of the policy.
    pub routes: Vec<usize>,
    /// Their classes, sorted.
    pub classes: Vec<u32>,
}

/// Patterns of one group of hosts; equal shapes share a place.
#[derive(Debug, Default)]
pub(super) struct Trie {
    nodes: Vec<Node>,
}

/// Literal children sorted by their bytes, the parameter's child, and what ends here.
#[derive(Debug, Default)]
struct Node {
    literals: Vec<(Box<[u8]>, usize)>,
    name: Option<usize>,
    /// More than one only where shapes that differ in case were folded into one.
    ends: Vec<Shape>,
    rests: Vec<Shape>,
}

/// What a walk still has to try: at a node, and how far the path has been read.
enum Step<At> {
    Rest(usize),
    Node(usize, At),
}

/// The segments of a path, one after the other.
pub(super) trait Segments {
    /// How far it has been read.
    type At: Copy;
    /// Nothing of it has been read.
    const BEGIN: Self::At;
    /// The next segment, and what is then read; `None` at the end.
    fn segment(&self, at: Self::At) -> Option<(&[u8], Self::At)>;
}

impl Segments for [&[u8]] {
    type At = usize;
    const BEGIN: usize = 0;

    fn segment(&self, at: usize) -> Option<(&[u8], usize)> {
        self.get(at).map(|segment| (*segment, at + 1))
    }
}

impl Trie {
    /// Puts a shape in its place.
    pub fn insert(&mut self, pattern: &[Segment], shape: Shape) {
        if self.nodes.is_empty() {
            self.nodes.push(Node::default());
        }
        let mut at = 0;
        for segment in pattern {
            let next = self.nodes.len();
            let Some(node) = self.nodes.get_mut(at) else { return };
            let child = match segment {
                Segment::Rest => {
                    node.rests.push(shape);
                    return;
                }
                Segment::Name => *node.name.get_or_insert(next),
                Segment::Literal(text) => {
                    match node.literals.binary_search_by(|(other, _)| other.as_ref().cmp(text.as_slice())) {
                        Ok(place) => node.literals.get(place).map_or(next, |(_, child)| *child),
                        Err(place) => {
                            node.literals.insert(place, (text.clone().into_boxed_slice(), next));
                            next
                        }
                    }
                }
            };
            if child == next {
                self.nodes.push(Node::default());
            }
            at = child;
        }
        if let Some(node) = self.nodes.get_mut(at) {
            node.ends.push(shape);
        }
    }

    /// The most specific shapes that match, segment by segment literal before `{name}` before `{*rest}`; empty where
    /// none does. `folded`: the letters A-Z of the path are read as a-z.
    pub fn walk<S: Segments + ?Sized>(&self, path: &S, folded: bool) -> &[Shape] {
        let mut open: SmallVec<[Step<S::At>; 12]> = SmallVec::new();
        let mut step = Step::Node(0, S::BEGIN);
        loop {
            let (at, read) = match step {
                Step::Rest(at) => return self.nodes.get(at).map_or(&[], |node| &node.rests),
                Step::Node(at, read) => (at, read),
            };
            let Some(node) = self.nodes.get(at) else { return &[] };
            let rest = (!node.rests.is_empty()).then_some(Step::Rest(at));
            let next = match path.segment(read) {
                None if !node.ends.is_empty() => return &node.ends,
                None => rest,
                Some((segment, read)) => {
                    let literal = node.literal(segment, folded).map(|child| Step::Node(child, read));
                    let name = node.name.filter(|_| !segment.is_empty()).map(|child| Step::Node(child, read));
                    // The last in is the first out: the least specific goes in first.
                    match (literal, name, rest) {
                        (Some(literal), name, rest) => {
                            rest.into_iter().for_each(|step| open.push(step));
                            name.into_iter().for_each(|step| open.push(step));
                            Some(literal)
                        }
                        (None, Some(name), rest) => {
                            rest.into_iter().for_each(|step| open.push(step));
                            Some(name)
                        }
                        (None, None, rest) => rest,
                    }
                }
            };
            match next.or_else(|| open.pop()) {
                Some(next) => step = next,
                None => return &[],
            }
        }
    }
}

impl Node {
    #[inline]
    fn literal(&self, segment: &[u8], folded: bool) -> Option<usize> {
        if folded && segment.iter().any(u8::is_ascii_uppercase) {
            let key: SmallVec<[u8; 64]> = segment.iter().map(u8::to_ascii_lowercase).collect();
            return self.exactly(&key);
        }
        self.exactly(segment)
    }

    #[inline]
    fn exactly(&self, key: &[u8]) -> Option<usize> {
        // Of a few, most are ruled out by their length.
        if self.literals.len() <= 8 {
            return self.literals.iter().find(|(other, _)| **other == *key).map(|(_, child)| *child);
        }
        let place = self.literals.binary_search_by(|(other, _)| other.as_ref().cmp(key));
        place.ok().and_then(|place| self.literals.get(place)).map(|(_, child)| *child)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::route::pattern;

    fn trie(patterns: &[&str]) -> Trie {
        let mut trie = Trie::default();
        for (index, text) in patterns.iter().enumerate() {
            trie.insert(&pattern::parse(text).unwrap(), Shape { routes: vec![index], classes: vec![0] });
        }
        trie
    }

    fn found(trie: &Trie, folded: bool, path: &str) -> Vec<usize> {
        let segments: Vec<&[u8]> = path.split('/').skip(1).map(str::as_bytes).collect();
        trie.walk(segments.as_slice(), folded).iter().flat_map(|shape| shape.routes.clone()).collect()
    }

    #[test]
    fn literal_before_name_before_rest_with_backtracking() {
        let trie = trie(&["/a/b/d", "/a/{x}/c", "/a/{*r}", "/{x}/b/{y}", "/a"]);
        assert_eq!(found(&trie, false, "/a/b/d"), [0]);
        assert_eq!(found(&trie, false, "/a/b/c"), [1]);
        assert_eq!(found(&trie, false, "/a/b/x"), [2]);
        assert_eq!(found(&trie, false, "/a"), [4]);
        assert_eq!(found(&trie, false, "/z/b/c"), [3]);
        assert!(found(&trie, false, "/z/b").is_empty());
        assert!(found(&trie, false, "/A").is_empty());
    }

    #[test]
    fn many_literals_are_found_as_few_are() {
        let names: Vec<String> = (0..40).map(|n| format!("/n{n}/x")).collect();
        let trie = trie(&names.iter().map(String::as_str).collect::<Vec<_>>());
        for n in 0..40 {
            assert_eq!(found(&trie, false, &format!("/n{n}/x")), [n]);
            assert_eq!(found(&trie, true, &format!("/N{n}/X")), [n]);
        }
        assert!(found(&trie, false, "/n40/x").is_empty());
    }

    #[test]
    fn shapes_folded_into_one_are_found_together() {
        let trie = trie(&["/admin", "/admin", "/admin/x"]);
        assert_eq!(found(&trie, true, "/ADMIN"), [0, 1]);
        assert_eq!(found(&trie, true, "/aDMIN/X"), [2]);
    }

    #[test]
    fn backtracking_visits_each_node_once() {
        // 2^12 shapes of one depth: all of them are tried and none ends; a longer path costs no more.
        let mut trie = Trie::default();
        for bits in 0..1u32 << 12 {
            let mut pattern: Vec<Segment> = (0..12)
                .map(|i| if bits >> i & 1 == 1 { Segment::Name } else { Segment::Literal(b"a".to_vec()) })
                .collect();
            pattern.push(Segment::Literal(b"end".to_vec()));
            trie.insert(&pattern, Shape::default());
        }
        for length in [13, 4096] {
            let path = Counting { length, asked: Cell::new(0) };
            assert!(trie.walk(&path, false).is_empty());
            let asked = path.asked.get();
            assert!(asked > 1 << 12 && asked <= trie.nodes.len(), "{asked} looks at {} nodes", trie.nodes.len());
        }
    }

    /// So many segments `a`, and how often one was looked at.
    struct Counting {
        length: usize,
        asked: Cell<usize>,
    }

    impl Segments for Counting {
        type At = usize;
        const BEGIN: usize = 0;

        fn segment(&self, at: usize) -> Option<(&[u8], usize)> {
            self.asked.set(self.asked.get() + 1);
            (at < self.length).then_some((b"a", at + 1))
        }
    }
}
