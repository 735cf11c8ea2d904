/**
 * The script for bash. The package's own one cannot be read twice by one shell (its constants
 * are read-only, and have names that other programs use too), wants functions of the package
 * bash-completion, and never offers files.
 *
 * @param name of the program: a word of the shell
 */
export function bashCompletion(name: string): string {
  return `# bash completion for ${name}
__${name}_complete() {
    local line=\${COMP_LINE:0:COMP_POINT} candidate
    local -a words
    read -ra words <<< "$line"
    # Behind a space a new word begins.
    [[ $line == *[[:space:]] ]] && words+=('')
    COMPREPLY=()
    while IFS=$'\\t' read -r candidate _; do
        # The last line is for other shells.
        [[ $candidate == :* ]] || COMPREPLY+=("$candidate")
    done < <(${name} complete -- "\${words[@]:1}" 2>/dev/null)
    return 0
}
# Files, where there is nothing else to offer.
complete -o bashdefault -o default -F __${name}_complete ${name}
`;
}
