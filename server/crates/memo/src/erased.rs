//! The one cache that is compiled: of keys and values whose types only who made them knows.

use std::{
    any::Any,
    borrow::Borrow,
    hash::{Hash, Hasher},
    sync::Arc,
};

use crate::Bounds;

/// A key of some type.
pub trait Key: Send + Sync {
    fn any(&self) -> &dyn Any;
    fn is(&self, other: &dyn Key) -> bool;
    fn feed(&self, hasher: &mut dyn Hasher);
}

impl<K: Hash + Eq + Send + Sync + 'static> Key for K {
    fn any(&self) -> &dyn Any {
        self
    }

    fn is(&self, other: &dyn Key) -> bool {
        other.any().downcast_ref::<K>().is_some_and(|other| self == other)
    }

    fn feed(&self, mut hasher: &mut dyn Hasher) {
        self.hash(&mut hasher);
    }
}

impl PartialEq for dyn Key {
    fn eq(&self, other: &Self) -> bool {
        self.is(other)
    }
}

impl Eq for dyn Key {}

impl Hash for dyn Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.feed(state);
    }
}

/// A key that is kept.
#[derive(Clone)]
pub struct Name(Arc<dyn Key>);

impl Name {
    pub fn of(key: impl Key + 'static) -> Self {
        Self(Arc::new(key))
    }

    /// The key, if it is of this type.
    pub fn key<K: 'static>(&self) -> Option<&K> {
        // Of the key, and not of the pointer to it, which is a possible key as well.
        (*self.0).any().downcast_ref()
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        (*self.0).is(&*other.0)
    }
}

impl Eq for Name {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (*self.0).feed(state);
    }
}

impl Borrow<dyn Key> for Name {
    fn borrow(&self) -> &(dyn Key + 'static) {
        &*self.0
    }
}

/// A value of some type, and what it weighs.
#[derive(Clone)]
pub struct Kept {
    value: Arc<dyn Any + Send + Sync>,
    weight: u32,
}

impl Kept {
    pub fn new(weight: usize, value: impl Send + Sync + 'static) -> Self {
        Self { value: Arc::new(value), weight: u32::try_from(weight).unwrap_or(u32::MAX) }
    }

    /// The value, if it is of this type.
    pub fn value<V: Clone + 'static>(&self) -> Option<V> {
        (*self.value).downcast_ref::<V>().cloned()
    }
}

/// What [`Cache`] does, called through a pointer so that nobody compiles it again, not even to drop it.
pub trait Keep: Send + Sync {
    fn get(&self, key: &(dyn Key + 'static)) -> Option<Kept>;
    fn contains(&self, key: &(dyn Key + 'static)) -> bool;
    fn insert(&self, name: Name, kept: Kept);
    fn get_with(&self, name: Name, make: &mut dyn FnMut() -> Kept) -> Kept;
    fn all(&self) -> Vec<(Name, Kept)>;
    fn remove(&self, key: &(dyn Key + 'static));
    fn clear(&self);
    fn settle(&self);
}

pub struct Cache(moka::sync::Cache<Name, Kept>);

impl Cache {
    pub fn new(Bounds { most, idle, age }: Bounds) -> Self {
        let mut cache = moka::sync::Cache::builder().max_capacity(most).weigher(|_, kept: &Kept| kept.weight);
        if let Some(idle) = idle {
            cache = cache.time_to_idle(idle);
        }
        if let Some(age) = age {
            cache = cache.time_to_live(age);
        }
        Self(cache.build())
    }
}

impl Keep for Cache {
    fn get(&self, key: &(dyn Key + 'static)) -> Option<Kept> {
        self.0.get(key)
    }

    fn contains(&self, key: &(dyn Key + 'static)) -> bool {
        self.0.contains_key(key)
    }

    fn insert(&self, name: Name, kept: Kept) {
        self.0.insert(name, kept);
    }

    fn get_with(&self, name: Name, make: &mut dyn FnMut() -> Kept) -> Kept {
        self.0.get_with(name, make)
    }

    fn all(&self) -> Vec<(Name, Kept)> {
        self.0.iter().map(|(name, kept)| (Name::clone(&name), kept)).collect()
    }

    fn remove(&self, key: &(dyn Key + 'static)) {
        self.0.invalidate(key);
    }

    fn clear(&self) {
        self.0.invalidate_all();
    }

    fn settle(&self) {
        self.0.run_pending_tasks();
    }
}
