import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SAMPLES } from '../../support/forward-messages.ts';
import { launchChromium, visit } from '../../support/page-rig.ts';
import { lacksPeer } from '../../support/peers.ts';
import { freePort } from '../../support/ports.ts';
import type { RawClient } from '../../support/raw-client.ts';
import { RelayRig } from '../../support/relay-rig.ts';

/** A browser on a loaded machine. */
const SLOW = { timeout: 60_000 };
/** Five thousand lines a second, give or take. */
const LINES = Buffer.concat(Array.from({ length: 100 }, () => SAMPLES.docker_line));
const LINES_EVERY_MS = 20;

describe.skipIf(lacksPeer('chromium'))('the page of a real relay', SLOW, () => {
  let browser: Browser;
  let rig: RelayRig;
  let traffic: NodeJS.Timeout | undefined;

  beforeAll(async () => {
    browser = await launchChromium();
  });
  beforeEach(async () => {
    rig = await RelayRig.open();
    rig.status = `http://127.0.0.1:${await freePort()}`;
  });
  afterEach(async () => {
    clearInterval(traffic);
    await Promise.all(browser.contexts().map((context) => context.close()));
    await rig.dispose();
  });
  afterAll(() => browser?.close());

  function carryTraffic(client: RawClient): void {
    traffic = setInterval(() => {
      if (client.socket.writable && !client.socket.writableNeedDrain) client.send(LINES);
    }, LINES_EVERY_MS);
  }

  it('shows its traffic, its upstream that is down and up again, and its restart', async () => {
    const outputs = { aggregator: rig.toSink() };
    const relay = await rig.start(outputs);
    carryTraffic(await rig.client(relay));
    const { page, errors, foreign } = await visit(browser, `${relay.status_url}/`, {});

    await page.locator('[data-flows="yes"]#arrow-in').waitFor();
    await page.locator('[data-flows="yes"]#arrow-out').waitFor();
    await page.getByText('All is well').waitFor();
    await page.getByText('1 connection open').waitFor();

    await rig.sink.stop();
    const output = page.locator('#outputs article');
    await output.getByText('✖ retrying').waitFor();
    await page.getByText('1 thing needs a look').waitFor();
    await page.getByText('Nothing is lost while the journal has room').waitFor();
    expect((await output.allInnerTexts()).join()).toMatch(/Waiting\s+[\d,]+ events/);

    await rig.sink.start();
    await output.getByText('● running').waitFor();
    await page.getByText('All is well').waitFor();
    expect({ errors, foreign }).toEqual({ errors: [], foreign: [] });

    clearInterval(traffic);
    await relay.stop();
    await page.getByText('no answer from the relay').waitFor();
    await rig.start(outputs);
    await page.getByText('● live').waitFor();
    expect(foreign).toEqual([]);
  });
});
