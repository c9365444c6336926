//! Values kept in memory by their keys, within bounds: what is used least goes first.
//!
//! The cache is moka's. It is compiled once here, for keys and values of any type, and [`Memo`] gives it its types back: compiled
//! anew for each of a dozen pairs of types it was an eighth of the crates that use it.

mod erased;

use std::{fmt, hash::Hash, marker::PhantomData, sync::Arc, time::Duration};

use erased::{Cache, Keep, Kept, Name};

/// What is kept, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    most: u64,
    idle: Option<Duration>,
    age: Option<Duration>,
}

impl Bounds {
    /// So many values, or values of so much weight.
    pub const fn of(most: u64) -> Self {
        Self { most, idle: None, age: None }
    }

    /// What is not used for so long goes.
    pub const fn idle(self, idle: Duration) -> Self {
        Self { idle: Some(idle), ..self }
    }

    /// What was put there so long ago goes.
    pub const fn age(self, age: Duration) -> Self {
        Self { age: Some(age), ..self }
    }
}

/// Values by their keys. Shared by reference; a value is cloned when it is got, so large ones are in an [`Arc`].
pub struct Memo<K, V> {
    kept: Arc<dyn Keep>,
    weigh: fn(&K, &V) -> usize,
    types: PhantomData<fn(K) -> V>,
}

impl<K, V> fmt::Debug for Memo<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memo").finish_non_exhaustive()
    }
}

impl<K: Hash + Eq + Clone + Send + Sync + 'static, V: Clone + Send + Sync + 'static> Memo<K, V> {
    /// An empty one, in which each value weighs the same.
    pub fn new(bounds: Bounds) -> Self {
        Self::weighing(bounds, |_, _| 1)
    }

    /// An empty one whose values weigh what the function says, at the time when they are put there.
    pub fn weighing(bounds: Bounds, weigh: fn(&K, &V) -> usize) -> Self {
        Self { kept: Arc::new(Cache::new(bounds)), weigh, types: PhantomData }
    }

    /// The value of a key.
    pub fn get(&self, key: &K) -> Option<V> {
        self.kept.get(key).and_then(|kept| kept.value())
    }

    /// Whether there is a value. This is no use of it.
    pub fn contains(&self, key: &K) -> bool {
        self.kept.contains(key)
    }

    /// Keeps a value, in the place of another one.
    pub fn insert(&self, key: K, value: V) {
        let kept = self.weighed(&key, value);
        self.kept.insert(Name::of(key), kept);
    }

    /// The value of a key, made if there is none. Others that ask for it meanwhile wait.
    pub fn get_with(&self, key: &K, mut make: impl FnMut() -> V) -> V {
        let kept = self.kept.get_with(Name::of(key.clone()), &mut || self.weighed(key, make()));
        kept.value().unwrap_or_else(make)
    }

    /// Everything that is kept.
    pub fn all(&self) -> Vec<(K, V)> {
        let kept = self.kept.all().into_iter();
        kept.filter_map(|(name, kept)| Some((name.key::<K>()?.clone(), kept.value()?))).collect()
    }

    /// Forgets a key.
    pub fn remove(&self, key: &K) {
        self.kept.remove(key);
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.kept.clear();
    }

    /// Drops at once what is over its bounds or was forgotten; else that happens with one of the next uses.
    pub fn settle(&self) {
        self.kept.settle();
    }

    fn weighed(&self, key: &K, value: V) -> Kept {
        Kept::new((self.weigh)(key, &value), value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_equal_keys_until_they_are_forgotten() {
        let memo: Memo<String, Arc<str>> = Memo::new(Bounds::of(10));
        memo.insert("a".into(), "one".into());
        assert_eq!(memo.get(&"a".into()).as_deref(), Some("one"));
        assert_eq!(memo.get_with(&"a".into(), || unreachable!("it is there")).as_ref(), "one");
        assert_eq!(memo.get_with(&"b".into(), || "two".into()).as_ref(), "two");
        let mut all = memo.all();
        all.sort();
        assert_eq!(all, [("a".into(), "one".into()), ("b".into(), "two".into())]);
        memo.remove(&"a".into());
        assert!(!memo.contains(&"a".into()) && memo.contains(&"b".into()));
        memo.clear();
        assert_eq!(memo.get(&"b".into()), None);
    }

    #[test]
    fn keys_of_one_form_and_different_types_are_apart() {
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        struct Key(String, u8);
        let memo = Memo::new(Bounds::of(10));
        memo.insert(Key("a".into(), 1), 1);
        assert_eq!(memo.get(&Key("a".into(), 1)), Some(1));
        assert_eq!(memo.get(&Key("a".into(), 2)), None);
    }

    #[test]
    fn what_is_too_much_goes() {
        let memo: Memo<u32, String> = Memo::weighing(Bounds::of(100), |_, text| text.len());
        for number in 0..20 {
            memo.insert(number, "x".repeat(30));
        }
        memo.settle();
        assert!(memo.all().len() <= 3, "{:?}", memo.all());
        memo.insert(1, "x".repeat(1_000));
        memo.settle();
        assert_eq!(memo.get(&1), None, "one that is too large by itself is not kept");
    }

    #[test]
    fn what_is_old_goes() {
        let aged = Memo::new(Bounds::of(10).age(Duration::ZERO));
        aged.insert(1, 1);
        let idle = Memo::new(Bounds::of(10).idle(Duration::ZERO));
        idle.insert(1, 1);
        assert_eq!((aged.get(&1), idle.get(&1)), (None, None));
    }
}
