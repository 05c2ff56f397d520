//! Writes objects.

use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};

use super::Object;

/// Starts to write an object of `count` listed fields.
///
/// # Errors
/// The serializer's own.
pub fn write_object<T: Object, S: Serializer>(serializer: S, count: usize) -> Result<ObjectWriter<S>, S::Error> {
    Ok(if T::IS_OPEN {
        ObjectWriter::Map(serializer.serialize_map(None)?)
    } else {
        ObjectWriter::Struct(serializer.serialize_struct(T::NAME, count)?)
    })
}

/// An object that is being written.
#[derive(Debug)]
pub enum ObjectWriter<S: Serializer> {
    /// An object with other fields.
    Map(S::SerializeMap),
    /// An object without.
    Struct(S::SerializeStruct),
}

impl<S: Serializer> ObjectWriter<S> {
    /// Writes a listed field, unless it is not sent.
    ///
    /// # Errors
    /// The serializer's own.
    pub fn field<T: Serialize>(&mut self, name: &'static str, is_sent: bool, value: &T) -> Result<(), S::Error> {
        match self {
            Self::Map(map) if is_sent => map.serialize_entry(name, value),
            Self::Map(_) => Ok(()),
            Self::Struct(fields) if is_sent => fields.serialize_field(name, value),
            Self::Struct(fields) => fields.skip_field(name),
        }
    }

    /// Writes other fields.
    ///
    /// # Errors
    /// The serializer's own.
    pub fn others<'a, T: Serialize + 'a>(
        &mut self,
        others: impl IntoIterator<Item = (&'a String, &'a T)>,
    ) -> Result<(), S::Error> {
        let Self::Map(map) = self else { return Ok(()) };
        others.into_iter().try_for_each(|(name, value)| map.serialize_entry(name, value))
    }

    /// Ends the object.
    ///
    /// # Errors
    /// The serializer's own.
    pub fn end(self) -> Result<S::Ok, S::Error> {
        match self {
            Self::Map(map) => map.end(),
            Self::Struct(fields) => fields.end(),
        }
    }
}
