# Writes numbered lines at about a given rate:
#
#     <name> stdout 1 xxxxxxxx
#     <name> stderr 1 xxxxxxxx
#
# A shell loop forks too slowly for thousands of lines a second, so lines go out in
# bursts. Variables (-v); all but the first three may be left out:
#   name          first word of each line
#   lines         lines to write on stdout, at most
#   rate          lines a second on stdout, about
#   burst_ms      milliseconds between two bursts; 10
#   stderr_every  one line on stderr after so many on stdout; 0: none
#   same_every    behind each line on stdout so many lines `<name> stdout same`
#   pad           length of each line in bytes, at least
#   bad_utf8      1: each line holds bytes that are not UTF-8
#   long_every    every so many lines on stdout, one of long_bytes; 0: none
#   count_pieces  1: Docker cuts a long line into pieces of 16,384 bytes; each one behind
#                 the first begins with a number of its own, `<name> stdout.<piece> <n>`
#   tail          1: one more line on stdout at the end, without its newline
#   runs          1: each run of the container counts from 1, under the name <name>.<run>
#   stop          a file; when it is there, no more lines follow
#   progress      a file that always holds the number of the last line on stdout, behind
#                 which `done` stands after the last one
#   linger_s      seconds to stay alive after the last line
function padded(line, length_bytes) {
  while (length(filler) < length_bytes) filler = filler filler
  missing = length_bytes - length(line) - 1
  return missing > 0 ? line " " substr(filler, 1, missing) : line
}

function longLine(n,   line, piece) {
  line = name " stdout " n
  if (count_pieces) {
    for (piece = 2; (piece - 1) * 16384 < long_bytes; piece++) {
      line = padded(line, (piece - 1) * 16384) name " stdout." piece " " n / long_every
    }
  }
  return padded(line, long_bytes)
}

function report(text) {
  fflush()
  if (progress == "") return
  print text > progress
  close(progress)
}

function isTold(   ignored) {
  return stop != "" && (getline ignored < stop) >= 0
}

BEGIN {
  if (runs) {
    getline run < "/tmp/runs"
    close("/tmp/runs")
    name = name "." ++run
    print run > "/tmp/runs"
    close("/tmp/runs")
  }
  if (burst_ms == 0) burst_ms = 10
  filler = "xxxxxxxxxxxxxxxx"
  bad = bad_utf8 ? " \377\376\303" : ""
  burst = rate * burst_ms / 1000
  if (burst < 1) burst = 1
  due = burst
  errors = 0
  for (n = 1; n <= lines; n++) {
    if (long_every > 0 && n % long_every == 0) print longLine(n)
    else print padded(name " stdout " n bad, pad)
    for (same = 0; same < same_every; same++) print name " stdout same"
    if (stderr_every > 0 && n % stderr_every == 0) {
      print padded(name " stderr " ++errors bad, pad) > "/dev/stderr"
    }
    if (n >= due) {
      due += burst
      report(n)
      if (isTold()) lines = n
      else system("usleep " burst_ms * 1000)
    }
  }
  if (tail) printf "%s", name " stdout " n
  report(lines " done")
  if (linger_s > 0) system("sleep " linger_s)
}
