//! Makes a packed model out of published weights.

use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use crate::{
    ModelError,
    weights::{HEADS, SCALES, VOCABULARY},
};

/// Packs the weights of a BERT encoder (`model.safetensors` with 32-bit floats), its vocabulary (a piece on each line)
/// and its number of attention heads into one file. The same input gives the same bytes.
///
/// # Errors
/// When the weights are no such file.
pub fn pack(weights: &[u8], vocabulary: &str, heads: u8) -> Result<Vec<u8>, ModelError> {
    let file = SafeTensors::deserialize(weights)?;
    let mut tensors: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = Vec::new();
    for (name, tensor) in file.tensors() {
        // The pooler was trained for another task, and positions are counted.
        if tensor.dtype() != Dtype::F32 || name.starts_with("pooler.") {
            continue;
        }
        let shape = tensor.shape().to_vec();
        let &[rows, columns] = &shape[..] else {
            tensors.push((name, Dtype::F32, shape, tensor.data().to_vec()));
            continue;
        };
        let numbers: Vec<f32> = tensor.data().as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)).collect();
        if columns == 0 || numbers.len() != rows * columns {
            return Err(ModelError::Tensor(name));
        }
        let (mut packed, mut scales) = (Vec::with_capacity(numbers.len()), Vec::with_capacity(rows * 4));
        for row in numbers.chunks_exact(columns) {
            let most = row.iter().fold(0.0_f32, |most, number| most.max(number.abs()));
            let scale = if most > 0.0 { most / 127.0 } else { 1.0 };
            scales.extend(scale.to_le_bytes());
            packed.extend(row.iter().map(|number| (number / scale).round().clamp(-127.0, 127.0) as i8 as u8));
        }
        tensors.push((format!("{name}{SCALES}"), Dtype::F32, vec![rows], scales));
        tensors.push((name, Dtype::I8, shape, packed));
    }
    tensors.push((VOCABULARY.into(), Dtype::U8, vec![vocabulary.len()], vocabulary.as_bytes().to_vec()));
    tensors.push((HEADS.into(), Dtype::F32, vec![1], f32::from(heads).to_le_bytes().to_vec()));
    tensors.sort_by(|one, two| one.0.cmp(&two.0));
    let mut views = Vec::with_capacity(tensors.len());
    for (name, kind, shape, bytes) in &tensors {
        views.push((name.as_str(), TensorView::new(*kind, shape.clone(), bytes)?));
    }
    Ok(safetensors::serialize(views, None)?)
}
