// What .ci/run needs of vitest's JSON report.
//
//   node report.mjs totals FILE           passed, failed and skipped tests, on one line
//   node report.mjs failures FILE TITLE   each failed test or file, with where it failed and why
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

const MESSAGE_MAX_CHARS = 4_000;

const [what, file, title] = process.argv.slice(2);
const report = JSON.parse(readFileSync(file, 'utf8'));

if (what === 'totals') {
  const { numPassedTests, numFailedTests, numPendingTests } = report;
  process.stdout.write(`${numPassedTests} ${numFailedTests} ${numPendingTests}\n`);
} else {
  for (const suite of report.testResults) {
    for (const failure of failuresOf(suite)) {
      const place = `${title}: ${relative(process.cwd(), suite.name)} > ${failure.name}`;
      const message = failure.message.slice(0, MESSAGE_MAX_CHARS).replace(/^/gm, '    ');
      process.stdout.write(`${place}\n${message}\n\n`);
    }
  }
}

// A file that could not be loaded, or whose hooks threw, has a message of its own and no failed test.
function failuresOf(suite) {
  const tests = suite.assertionResults.filter((test) => test.status === 'failed');
  if (tests.length === 0 && suite.status === 'failed') {
    return [{ name: 'the file itself', message: suite.message ?? '' }];
  }
  return tests.map((test) => ({
    name: test.fullName,
    message: (test.failureMessages ?? []).join('\n'),
  }));
}
