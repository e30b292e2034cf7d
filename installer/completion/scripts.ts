// What a shell evaluates to complete `keyway`. Each asks the command itself what may follow the words so far.

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** How a shell keeps it, for the help. */
export const SETUP: Record<Shell, string> = {
  bash: "keyway completion bash > ~/.local/share/bash-completion/completions/keyway",
  zsh: "keyway completion zsh > ~/.zsh/completions/_keyway",
  fish: "keyway completion fish > ~/.config/fish/completions/keyway.fish",
};

const BASH = `# Completion of keyway for bash.
_keyway() {
  local word=\${COMP_WORDS[COMP_CWORD]} line=("\${COMP_WORDS[@]:1:COMP_CWORD}")
  # bash takes words apart at colons and equals signs: they are put together again.
  if declare -F _get_comp_words_by_ref > /dev/null; then
    local cur words cword
    _get_comp_words_by_ref -n =: cur words cword
    word=$cur
    line=("\${words[@]:1:cword}")
  fi
  local found
  mapfile -t found < <(keyway completion bash -- "\${line[@]}" 2> /dev/null)
  COMPREPLY=()
  if [[ \${#found[@]} -eq 1 && \${found[0]} == :files ]]; then
    compopt -o filenames 2> /dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
    return
  fi
  local one
  for one in "\${found[@]}"; do [[ $one == "$word"* ]] && COMPREPLY+=("$one"); done
  declare -F __ltrim_colon_completions > /dev/null && __ltrim_colon_completions "$word"
  return 0
}
complete -F _keyway keyway
`;

const ZSH = `#compdef keyway
# Completion of keyway for zsh.
_keyway() {
  local -a found
  found=("\${(@f)$(keyway completion zsh -- "\${(@Q)words[2,CURRENT]}" 2> /dev/null)}")
  if [[ "$found" == ":files" ]]; then
    _files
  elif [[ -n "$found" ]]; then
    _describe keyway found
  fi
}
if [[ "$funcstack[1]" == _keyway ]]; then _keyway "$@"; else compdef _keyway keyway; fi
`;

const FISH = `# Completion of keyway for fish.
function __keyway_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l found (keyway completion fish -- $words[2..-1] 2> /dev/null)
  if test "$found" = ":files"
    __fish_complete_path (commandline -ct)
  else
    printf '%s\\n' $found
  end
end
complete -c keyway -f -a '(__keyway_complete)'
`;

export const SCRIPTS: Record<Shell, string> = { bash: BASH, zsh: ZSH, fish: FISH };
