//! Vectors made of a text's words: texts with words in common are near each other, as a real model's would be.

/// The model that answers with them.
pub const MODEL: &str = "words-384";
/// Numbers in a vector.
pub const DIMENSIONS: usize = 384;

/// The vector of a text, of unit length.
pub fn vector(text: &str) -> Vec<f32> {
    let mut sum = vec![0.0_f32; DIMENSIONS];
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        // FNV-1a, so that a word has the same vector in every run.
        let seed = word.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01b3)
        });
        let mut state = seed | 1;
        for number in &mut sum {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            *number += (state >> 40) as f32 / (1 << 23) as f32 - 1.0;
        }
    }
    let length = sum.iter().map(|x| x * x).sum::<f32>().sqrt();
    if length > 0.0 {
        sum.iter_mut().for_each(|number| *number /= length);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cosine(one: &str, other: &str) -> f32 {
        vector(one).iter().zip(vector(other)).map(|(x, y)| x * y).sum()
    }

    #[test]
    fn texts_with_words_in_common_are_near() {
        assert!((cosine("red boat", "Boat, red") - 1.0).abs() < 1e-5);
        let near = cosine("red boat", "red harbour");
        assert!(near > 0.3 && near < 0.7, "{near}");
        assert!(cosine("red boat", "green tea").abs() < 0.2);
    }
}
