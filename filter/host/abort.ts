// Where AssemblyScript's own checks end: nothing is said, the VM traps, and Envoy's failure policy decides.
export function abort(_message: usize, _file: usize, _line: u32, _column: u32): void {
  unreachable();
}
