# Writes numbered lines at about a given rate:
#
#     <name> stdout 1 xxxxxxxx
#     <name> stderr 1 xxxxxxxx
#
# A shell loop forks too slowly for thousands of lines a second, so lines go out in
# bursts, one every 10 ms. Variables (-v):
#   name          first word of each line
#   lines         lines to write on stdout
#   rate          lines a second on stdout, about
#   stderr_every  one line on stderr after so many on stdout; 0: none
#   pad           length of each line in bytes, at least
#   long_every    every so many lines on stdout, one of long_bytes; 0: none
#   linger_s      seconds to stay alive after the last line
function padded(line, length_bytes) {
  while (length(filler) < length_bytes) filler = filler filler
  missing = length_bytes - length(line) - 1
  return missing > 0 ? line " " substr(filler, 1, missing) : line
}

BEGIN {
  filler = "xxxxxxxxxxxxxxxx"
  burst = rate / 100
  if (burst < 1) burst = 1
  due = burst
  errors = 0
  for (n = 1; n <= lines; n++) {
    bytes = (long_every > 0 && n % long_every == 0) ? long_bytes : pad
    print padded(name " stdout " n, bytes)
    if (stderr_every > 0 && n % stderr_every == 0) {
      print padded(name " stderr " ++errors, pad) > "/dev/stderr"
    }
    if (n >= due) {
      due += burst
      fflush()
      system("usleep 10000")
    }
  }
  fflush()
  if (linger_s > 0) system("sleep " linger_s)
}
