//! Functions of numbers and rows of numbers.

/// Scales a vector to the length of one; what has no direction stays.
pub(crate) fn to_unit_length(vector: &mut [f32]) {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if length > 0.0 {
        for number in vector {
            *number /= length;
        }
    }
}

/// Brings a row to mean 0 and variance 1, then scales and shifts it.
pub(crate) fn layer_norm(row: &mut [f32], scale: &[f32], shift: &[f32]) {
    /// Of the published model.
    const EPSILON: f32 = 1e-12;
    let count = row.len() as f32;
    let mean = row.iter().sum::<f32>() / count;
    let variance = row.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / count;
    let factor = 1.0 / (variance + EPSILON).sqrt();
    for ((number, scale), shift) in row.iter_mut().zip(scale).zip(shift) {
        *number = (*number - mean) * factor * scale + shift;
    }
}

/// Makes a row of scores into shares that add up to one.
pub(crate) fn softmax(row: &mut [f32]) {
    let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for number in row.iter_mut() {
        *number = (*number - most).exp();
        sum += *number;
    }
    for number in row {
        *number /= sum;
    }
}

/// The Gaussian error linear unit.
pub(crate) fn gelu(row: &mut [f32]) {
    for number in row {
        *number = 0.5 * *number * (1.0 + erf(*number * std::f32::consts::FRAC_1_SQRT_2));
    }
}

/// The error function by a quotient of polynomials, without branches, so that compilers do several at once.
fn erf(x: f32) -> f32 {
    let x = x.clamp(-4.0, 4.0);
    let square = x * x;
    let mut above = -2.726_142e-10_f32;
    for factor in [2.770_681_4e-8, -2.101_024e-6, -5.692_506_4e-5, -7.349_906_3e-4, -2.954_6e-3, -1.609_603_3e-2] {
        above = above * square + factor;
    }
    let mut below = -1.456_607_2e-5_f32;
    for factor in [-2.133_740_6e-4, -1.682_827e-3, -7.373_329_2e-3, -1.426_473_9e-2] {
        below = below * square + factor;
    }
    x * above / below
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_function_is_right_to_six_digits() {
        // Values of tables.
        for (x, expected) in [
            (0.0, 0.0),
            (0.1, 0.112_462_9),
            (0.5, 0.520_499_9),
            (1.0, 0.842_700_8),
            (-1.5, -0.966_105_1),
            (2.5, 0.999_593),
            (9.0, 1.0),
        ] {
            assert!((erf(x) - expected).abs() < 2e-6, "{x}: {}", erf(x));
        }
    }

    #[test]
    fn shares_add_up_and_norms_are_one() {
        let mut row = [1.0, 2.0, 1000.0, -5.0];
        softmax(&mut row);
        assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-6 && row[2] > 0.999);
        let mut row = [1.0, 3.0];
        layer_norm(&mut row, &[2.0, 2.0], &[1.0, 1.0]);
        assert!((row[0] + 1.0).abs() < 1e-5 && (row[1] - 3.0).abs() < 1e-5, "{row:?}");
        let mut zero = [0.0, 0.0];
        to_unit_length(&mut zero);
        assert_eq!(zero, [0.0, 0.0]);
    }
}
