//! One pass through the model: windows of tokens in, one vector for each out.
//!
//! The windows lie one below the other in one matrix, without padding: only attention needs to know where each begins.

use ndarray::{Array2, ArrayView2, Axis, s};

use crate::{
    maths::{gelu, layer_norm, softmax},
    weights::{Layer, Linear, Norm, Weights},
};

/// The mean of each window's last states.
pub(crate) fn run(weights: &Weights, windows: &[&[u32]]) -> Vec<Vec<f32>> {
    let mut states = embed(weights, windows);
    for layer in &weights.layers {
        let mut attended = linear(&layer.attended, attend(weights, layer, &states, windows).view());
        attended += &states;
        normalise(&layer.attended_norm, &mut attended);
        let mut inner = linear(&layer.inner, attended.view());
        if let Some(numbers) = inner.as_slice_mut() {
            gelu(numbers);
        }
        states = linear(&layer.outer, inner.view());
        states += &attended;
        normalise(&layer.outer_norm, &mut states);
    }
    let mut first = 0;
    let means = windows.iter().map(|window| {
        let rows = states.slice(s![first..first + window.len(), ..]);
        first += window.len();
        rows.mean_axis(Axis(0)).map(|mean| mean.to_vec()).unwrap_or_default()
    });
    means.collect()
}

/// The first states: of the token, its place and the sentence.
fn embed(weights: &Weights, windows: &[&[u32]]) -> Array2<f32> {
    let rows = windows.iter().map(|window| window.len()).sum();
    let mut states = Array2::zeros((rows, weights.width));
    let tokens = windows.iter().flat_map(|window| window.iter().enumerate());
    for (mut row, (place, token)) in states.rows_mut().into_iter().zip(tokens) {
        let Some(row) = row.as_slice_mut() else { continue };
        row.copy_from_slice(&weights.sentence);
        weights.words.add_row(usize::try_from(*token).unwrap_or_default(), row);
        weights.positions.add_row(place, row);
    }
    normalise(&weights.first_norm, &mut states);
    states
}

/// What each token takes from the others of its window.
fn attend(weights: &Weights, layer: &Layer, states: &Array2<f32>, windows: &[&[u32]]) -> Array2<f32> {
    let all = linear(&layer.attention, states.view());
    let (width, head) = (weights.width, weights.width / weights.heads);
    let scale = 1.0 / (head as f32).sqrt();
    let mut taken = Array2::zeros(states.raw_dim());
    let mut first = 0;
    for window in windows {
        let rows = first..first + window.len();
        first = rows.end;
        for at in (0..width).step_by(head) {
            let part = |offset: usize| all.slice(s![rows.clone(), offset + at..offset + at + head]);
            let (query, key, value) = (part(0), part(width), part(2 * width));
            let mut scores = query.dot(&key.t());
            scores *= scale;
            for mut row in scores.rows_mut() {
                if let Some(row) = row.as_slice_mut() {
                    softmax(row);
                }
            }
            taken.slice_mut(s![rows.clone(), at..at + head]).assign(&scores.dot(&value));
        }
    }
    taken
}

fn linear(layer: &Linear, input: ArrayView2<'_, f32>) -> Array2<f32> {
    let mut output = input.dot(&layer.matrix);
    for mut row in output.rows_mut() {
        for (number, bias) in row.iter_mut().zip(&layer.bias) {
            *number += bias;
        }
    }
    output
}

fn normalise(norm: &Norm, states: &mut Array2<f32>) {
    for mut row in states.rows_mut() {
        if let Some(row) = row.as_slice_mut() {
            layer_norm(row, &norm.scale, &norm.shift);
        }
    }
}
