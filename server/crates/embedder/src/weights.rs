//! The weights of a model, as they are kept while it is loaded.

use ndarray::Array2;
use safetensors::{Dtype, SafeTensors};

use crate::{ModelError, wordpiece::Vocabulary};

/// Names of tensors that [`crate::pack`] adds to the published ones.
pub(crate) const VOCABULARY: &str = "vocabulary";
pub(crate) const SCALES: &str = ".scales";
pub(crate) const HEADS: &str = "heads";

/// A matrix of 8-bit numbers that stays where it is; rows are unpacked one by one.
pub(crate) struct Packed {
    numbers: &'static [u8],
    scales: Vec<f32>,
    columns: usize,
}

impl Packed {
    /// Adds a row to what is there.
    pub(crate) fn add_row(&self, row: usize, to: &mut [f32]) {
        let numbers = &self.numbers[row * self.columns..(row + 1) * self.columns];
        for (sum, number) in to.iter_mut().zip(numbers) {
            *sum += f32::from(number.cast_signed()) * self.scales[row];
        }
    }

    pub(crate) fn rows(&self) -> usize {
        self.scales.len()
    }
}

/// A linear layer: the transposed matrix, so that rows of input multiply it from the left, and what is added.
pub(crate) struct Linear {
    pub(crate) matrix: Array2<f32>,
    pub(crate) bias: Vec<f32>,
}

/// Scale and shift after a row is brought to mean 0 and variance 1.
pub(crate) struct Norm {
    pub(crate) scale: Vec<f32>,
    pub(crate) shift: Vec<f32>,
}

/// One layer of the encoder.
pub(crate) struct Layer {
    /// Queries, keys and values side by side.
    pub(crate) attention: Linear,
    pub(crate) attended: Linear,
    pub(crate) attended_norm: Norm,
    pub(crate) inner: Linear,
    pub(crate) outer: Linear,
    pub(crate) outer_norm: Norm,
}

/// All of them.
pub(crate) struct Weights {
    pub(crate) words: Packed,
    pub(crate) positions: Packed,
    /// Of the first of two sentences; there is only one here.
    pub(crate) sentence: Vec<f32>,
    pub(crate) first_norm: Norm,
    pub(crate) layers: Vec<Layer>,
    pub(crate) width: usize,
    pub(crate) heads: usize,
}

/// Reads a packed file.
pub(crate) fn read(packed: &'static [u8]) -> Result<(Weights, Vocabulary), ModelError> {
    let file = File(SafeTensors::deserialize(packed)?);
    let vocabulary = std::str::from_utf8(file.bytes(VOCABULARY)?.0).map_err(|_| ModelError::Vocabulary)?;
    let words = file.packed("embeddings.word_embeddings.weight")?;
    let heads = file.floats(HEADS)?.first().map_or(0, |heads| *heads as usize);
    let width = words.columns;
    let mut sentence = vec![0.0; width];
    file.packed("embeddings.token_type_embeddings.weight")?.add_row(0, &mut sentence);
    let mut layers = Vec::new();
    while file.0.tensor(&format!("encoder.layer.{}.output.dense.weight", layers.len())).is_ok() {
        layers.push(layer(&file, &format!("encoder.layer.{}", layers.len()), width)?);
    }
    if layers.is_empty() || heads == 0 || width % heads != 0 {
        return Err(ModelError::Tensor(HEADS.into()));
    }
    let first_norm = file.norm("embeddings.LayerNorm", width)?;
    let positions = file.packed("embeddings.position_embeddings.weight")?;
    if positions.rows() < crate::WINDOW || positions.columns != width {
        return Err(ModelError::Tensor("embeddings.position_embeddings.weight".into()));
    }
    Ok((Weights { words, positions, sentence, first_norm, layers, width, heads }, Vocabulary::read(vocabulary)?))
}

fn layer(file: &File<'static>, name: &str, width: usize) -> Result<Layer, ModelError> {
    let part = |part: &str| format!("{name}.attention.self.{part}");
    let (query, key, value) =
        (file.linear(&part("query"), width)?, file.linear(&part("key"), width)?, file.linear(&part("value"), width)?);
    let views = [query.matrix.view(), key.matrix.view(), value.matrix.view()];
    let matrix = ndarray::concatenate(ndarray::Axis(1), &views).map_err(|_| ModelError::Tensor(name.into()))?;
    let inner = file.linear(&format!("{name}.intermediate.dense"), width)?;
    let middle = inner.bias.len();
    Ok(Layer {
        attention: Linear { matrix, bias: [query.bias, key.bias, value.bias].concat() },
        attended: file.linear(&format!("{name}.attention.output.dense"), width)?,
        attended_norm: file.norm(&format!("{name}.attention.output.LayerNorm"), width)?,
        inner,
        outer: file.linear(&format!("{name}.output.dense"), middle)?,
        outer_norm: file.norm(&format!("{name}.output.LayerNorm"), width)?,
    })
}

struct File<'a>(SafeTensors<'a>);

impl File<'static> {
    fn bytes(&self, name: &str) -> Result<(&'static [u8], Vec<usize>, Dtype), ModelError> {
        let missing = |_| ModelError::Tensor(name.to_owned());
        let tensor = self.0.tensor(name).map_err(missing)?;
        Ok((tensor.data(), tensor.shape().to_vec(), tensor.dtype()))
    }

    fn floats(&self, name: &str) -> Result<Vec<f32>, ModelError> {
        let (bytes, _, kind) = self.bytes(name)?;
        if kind != Dtype::F32 {
            return Err(ModelError::Tensor(name.to_owned()));
        }
        Ok(bytes.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)).collect())
    }

    fn packed(&self, name: &str) -> Result<Packed, ModelError> {
        let (numbers, shape, kind) = self.bytes(name)?;
        let scales = self.floats(&format!("{name}{SCALES}"))?;
        match shape[..] {
            [rows, columns] if kind == Dtype::I8 && scales.len() == rows => Ok(Packed { numbers, scales, columns }),
            _ => Err(ModelError::Tensor(name.to_owned())),
        }
    }

    fn linear(&self, name: &str, inputs: usize) -> Result<Linear, ModelError> {
        let packed = self.packed(&format!("{name}.weight"))?;
        let bias = self.floats(&format!("{name}.bias"))?;
        if packed.columns != inputs || bias.len() != packed.rows() {
            return Err(ModelError::Tensor(name.to_owned()));
        }
        let mut numbers = vec![0.0; packed.numbers.len()];
        for (row, numbers) in numbers.chunks_exact_mut(inputs).enumerate() {
            packed.add_row(row, numbers);
        }
        let matrix = Array2::from_shape_vec((packed.rows(), inputs), numbers);
        let matrix = matrix.map_err(|_| ModelError::Tensor(name.to_owned()))?;
        Ok(Linear { matrix: matrix.t().as_standard_layout().into_owned(), bias })
    }

    fn norm(&self, name: &str, width: usize) -> Result<Norm, ModelError> {
        let (scale, shift) = (self.floats(&format!("{name}.weight"))?, self.floats(&format!("{name}.bias"))?);
        if scale.len() != width || shift.len() != width {
            return Err(ModelError::Tensor(name.to_owned()));
        }
        Ok(Norm { scale, shift })
    }
}
