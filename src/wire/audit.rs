//! Payloads of reconciliation: what the broker is asked, what it says it holds, where it differs.

use super::{Price, market::Class};
use bytemuck::{Pod, Zeroable};

/// Asks the broker for all positions and all open orders of the account.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Audit {
    /// Number of the question; its answers carry it.
    pub request: u64,
    /// Questions before it that were not answered.
    pub tries: u32,
    /// Must be zero.
    pub reserved: u32,
    /// Must be zero.
    pub reserved2: [u64; 2],
}

/// The head of the broker's answer: how many positions it is about to tell.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Positions {
    /// The question; 0 where it is not ours.
    pub request: u64,
    /// POSITION events that follow.
    pub total: u32,
    /// 1 where the broker does answer the question, 0 where it will not.
    pub valid: u32,
    /// Must be zero.
    pub reserved: [u64; 2],
}

/// What the broker says it holds of one contract, named as the broker names it.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Position {
    /// Strike; undefined where it is no option.
    pub strike: Price,
    /// Option root or ticker, padded with zeros.
    pub root: [u8; 8],
    /// The question, modulo 2³².
    pub request: u32,
    /// Expiration date as 20151224; 0 where there is none.
    pub date: u32,
    /// Contracts: positive long, negative short.
    pub contracts: i32,
    /// Call, put, or what else it is.
    pub class: Class,
    /// Must be zero.
    pub reserved: [u8; 3],
}

/// Short contracts that were exercised against us before their settlement, named as the broker
/// names them.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Assignment {
    /// Strike.
    pub strike: Price,
    /// Option root, padded with zeros.
    pub root: [u8; 8],
    /// Hash of the broker's name for it: the same where it is told again. Never 0.
    pub id: u32,
    /// Expiration date as 20151224.
    pub date: u32,
    /// Contracts.
    pub contracts: u32,
    /// Call or put.
    pub class: Class,
    /// Must be zero.
    pub reserved: [u8; 3],
}

/// A contract of which the broker holds another number than we do, twice in a row; the header's
/// instrument is the contract where we know it. Without class: open orders that are not ours.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Difference {
    /// Contracts that we hold.
    pub ours: i64,
    /// Contracts that the broker holds.
    pub theirs: i64,
    /// Strike; undefined where it is no option.
    pub strike: Price,
    /// Expiration date as 20151224; 0 where there is none.
    pub date: u32,
    /// Call, put, or what else it is.
    pub class: Class,
    /// Must be zero.
    pub reserved: [u8; 3],
}
