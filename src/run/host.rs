//! What this host must be before anything runs.

use super::Failure;

/// Whether the processor has what the build was made for. With less, the first vector instruction
/// would end the program without a word.
pub fn check_cpu() -> Result<(), Failure> {
    let has = [
        ("avx2", std::arch::is_x86_feature_detected!("avx2")),
        ("fma", std::arch::is_x86_feature_detected!("fma")),
        ("bmi2", std::arch::is_x86_feature_detected!("bmi2")),
        ("sse4.2", std::arch::is_x86_feature_detected!("sse4.2")),
        ("lzcnt", std::arch::is_x86_feature_detected!("lzcnt")),
        ("movbe", std::arch::is_x86_feature_detected!("movbe")),
        ("f16c", std::arch::is_x86_feature_detected!("f16c")),
    ];
    match has.iter().find(|(_, present)| !present) {
        None => Ok(()),
        Some((name, _)) => Err(Failure::environment(std::format!(
            "this processor has no {name}; zomma is built for x86-64-v3 (2013 and newer), because \
             another instruction set rounds differently and a replay would not match"
        ))),
    }
}
