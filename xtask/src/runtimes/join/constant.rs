//! Values that are known before a module runs.

use wasm_encoder::reencode::Error;
use wasm_encoder::{ConstExpr, HeapType};
use wasmparser::{ConstExpr as Expression, Operator};

use super::invalid;
use super::module::{Function, Part};
use crate::fail::Done;

/// A value of a global or an offset.
#[derive(Clone, Copy)]
pub enum Constant {
    I32(i32),
    I64(i64),
    F32(wasm_encoder::Ieee32),
    F64(wasm_encoder::Ieee64),
    Null(HeapType),
    Function(Function),
}

impl Constant {
    /// What an expression of a module comes to, where `part` says what its indices mean and `known` what the globals before it are.
    pub fn of(expression: &Expression<'_>, part: &Part<'_>, known: &[Option<Self>]) -> Done<Self> {
        let mut stack = Vec::new();
        let too_few = || invalid(&"an expression lacks an operand");
        for operator in expression.get_operators_reader() {
            let value = match operator.map_err(|error| invalid(&error))? {
                Operator::I32Const { value } => Self::I32(value),
                Operator::I64Const { value } => Self::I64(value),
                Operator::F32Const { value } => Self::F32(value.into()),
                Operator::F64Const { value } => Self::F64(value.into()),
                Operator::RefNull { hty } => Self::Null(hty.try_into().map_err(|error: Error| invalid(&error))?),
                Operator::RefFunc { function_index } => Self::Function(part.function(function_index)?),
                Operator::GlobalGet { global_index } => {
                    let global = part.global(global_index)?;
                    let value = known.get(global as usize).copied().flatten();
                    value.ok_or_else(|| invalid(&"an expression depends on a global that may change"))?
                }
                sum @ (Operator::I32Add | Operator::I32Sub | Operator::I32Mul) => {
                    let (Some(Self::I32(right)), Some(Self::I32(left))) = (stack.pop(), stack.pop()) else {
                        return Err(too_few());
                    };
                    Self::I32(match sum {
                        Operator::I32Add => left.wrapping_add(right),
                        Operator::I32Sub => left.wrapping_sub(right),
                        _ => left.wrapping_mul(right),
                    })
                }
                Operator::End => continue,
                other => return Err(invalid(&format!("an expression with {other:?}"))),
            };
            stack.push(value);
        }
        stack.pop().filter(|_| stack.is_empty()).ok_or_else(too_few)
    }

    /// The value as an expression of the joined module.
    pub fn expression(self, hosts: u32) -> ConstExpr {
        match self {
            Self::I32(value) => ConstExpr::i32_const(value),
            Self::I64(value) => ConstExpr::i64_const(value),
            Self::F32(value) => ConstExpr::f32_const(value),
            Self::F64(value) => ConstExpr::f64_const(value),
            Self::Null(ty) => ConstExpr::ref_null(ty),
            Self::Function(function) => ConstExpr::ref_func(function.index(hosts)),
        }
    }
}
