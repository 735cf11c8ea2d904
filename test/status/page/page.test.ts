import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { PageRig } from '../../support/page-rig.ts';
import { lacksPeer } from '../../support/peers.ts';
import {
  failingOutput,
  SAMPLE_NOW_MS,
  sampleContainer,
  sampleOutput,
  sampleStatus,
  troubledStatus,
} from '../../support/status-samples.ts';
import { until } from '../../support/wait.ts';

/** A browser on a loaded machine. */
const SLOW = { timeout: 60_000 };
const HOSTILE = '<img src=x onerror="document.title=1">&amp;';

describe.skipIf(lacksPeer('chromium'))('the page in a browser', SLOW, () => {
  let rig: PageRig;

  beforeAll(async () => {
    rig = await PageRig.open();
  });
  afterEach(() => rig.reset());
  afterAll(() => rig?.dispose());

  it('shows the figures, without an error and without a request to anybody else', async () => {
    await rig.serve();
    const { page, errors, foreign } = await rig.visit();
    await page.getByText('All is well').waitFor();
    await page.getByText('● live').waitFor();
    expect(await textOf(page, '#inputs')).toContain('12 connections open');
    expect(await textOf(page, '#arrow-in')).toContain('8,214 events/s');
    expect(await textOf(page, '#journal')).toContain('1.2 GiB of 8 GiB (15 %)');
    expect(await textOf(page, '#outputs')).toContain('1,204 events, 307 KiB');
    expect(await page.locator('#container-rows tr').count()).toBe(3);
    expect(await page.locator('.plot canvas').count()).toBe(3);
    expect(await page.locator('#token-form').isVisible()).toBe(false);
    expect({ errors, foreign }).toEqual({ errors: [], foreign: [] });
  });

  it('follows the relay', async () => {
    await rig.serve();
    const { page } = await rig.visit();
    await page.getByText('8,214 events/s').waitFor();
    const rates = { ...rig.status.rates, events_in_per_s: 12 };
    rig.status = sampleStatus({ rates, outputs: [sampleOutput({ name: 'new one' })] });
    await page.getByText('12 events/s').waitFor();
    await page.getByText('new one').waitFor();
    expect(await page.getByText('archive').count()).toBe(0);
  });

  it('says in words what is wrong, what was dropped, and what to do', async () => {
    rig.status = troubledStatus();
    await rig.serve();
    const { page } = await rig.visit();
    await page.getByText('2 things need a look').waitFor();
    const problems = await textOf(page, '#problems');
    expect(problems).toContain('ECONNREFUSED');
    expect(problems).toContain('Nothing is lost while the journal has room');
    expect(await textOf(page, '#outputs')).toContain('✖ retrying');
    const losses = await textOf(page, '#losses');
    expect(losses).toContain('12 events have a tag that no output takes.');
    expect(losses).toContain('debug.app: 9 · debug.db: 3');
    expect(losses).toContain("Widen an output's match");
    expect(losses).toContain('web-2: lines were deleted before they could be read');
  });

  it('says that the relay is gone, and goes on by itself when it is back', async () => {
    await rig.serve();
    const { page } = await rig.visit();
    await page.getByText('● live').waitFor();
    await rig.stopServing();
    await page.getByText('✖ no answer from the relay').waitFor();
    expect(await textOf(page, '#feed-note')).toMatch(/^figures of \d+ s ago/);
    rig.status = sampleStatus({ version: '0.2.0' });
    await rig.serve();
    await page.getByText('● live').waitFor();
    await page.getByText('0.2.0').waitFor();
  });

  it('says that the figures are stale when the relay falls silent', async () => {
    await rig.serveOnce();
    const { page } = await rig.visit();
    await page.getByText('● live').waitFor();
    await page.getByText('▲ stale').waitFor();
    await page.getByText('✖ no answer from the relay').waitFor();
  });

  it('asks for the token, says when it is wrong, and keeps it for the tab', async () => {
    await rig.serve('right');
    const { page } = await rig.visit();
    const field = page.getByLabel('Token');
    await field.waitFor();
    expect(await page.locator('#figures').isVisible()).toBe(false);
    await field.fill('wrong');
    await field.press('Enter');
    await page.getByText('does not take this token').waitFor();
    await field.fill('right');
    await field.press('Enter');
    await page.getByText('All is well').waitFor();
    expect(await field.isVisible()).toBe(false);
    await page.reload();
    await page.getByText('All is well').waitFor();
    expect(page.url()).toBe(rig.url);
  });

  it('tells an error of before from one that lasts', async () => {
    const failed = { last_error: 'refused', last_error_ms: rig.status.now_ms - 120_000 };
    rig.status = {
      ...rig.status,
      outputs: [
        sampleOutput({ name: 'again', ...failed, has_recovered: true }),
        sampleOutput({ name: 'still', ...failed, state: 'retrying' }),
      ],
    };
    await rig.serve();
    const { page } = await rig.visit();
    await page.getByText('Last error, 2 min ago, since recovered: refused').waitFor();
    await page.getByText('Last error, 2 min ago: refused').waitFor();
  });

  it('shows names as they are, whatever they are', async () => {
    const output = sampleOutput({
      name: HOSTILE,
      last_error: HOSTILE,
      details: { [HOSTILE]: HOSTILE },
    });
    rig.status = sampleStatus({
      problems: [{ level: 'warning', where: HOSTILE, text: HOSTILE }],
      inputs: { ...rig.status.inputs, listeners: [{ url: HOSTILE }] },
      journal: { ...rig.status.journal, dir: HOSTILE },
      outputs: [output],
      containers: [sampleContainer(1, { name: HOSTILE })],
      dropped: { [HOSTILE]: { [HOSTILE]: 1 }, constructor: { web: 1 } },
      gaps: [{ container: HOSTILE, reason: HOSTILE, times: 1 }],
    });
    await rig.serve();
    const { page, errors } = await rig.visit();
    await page.getByText('1 thing needs a look').waitFor();
    expect(await textOf(page, '#container-rows th')).toBe(HOSTILE);
    expect(await page.locator('#main img').count()).toBe(0);
    expect(await page.title()).toBe('logboom');
    expect(errors).toEqual([]);
  });

  it('sorts by a header with the keyboard, and says how it is sorted', async () => {
    await rig.serve();
    const { page } = await rig.visit();
    const header = page.getByRole('columnheader', { name: 'Lines/s' });
    const names = () => page.locator('#container-rows th').allInnerTexts();
    await page.getByRole('cell', { name: 'merged' }).waitFor();
    expect(await names()).toEqual(['web-1', 'web-2', 'web-3']);
    await page.getByLabel('Filter').focus();
    for (let tabs = 0; tabs < 3; tabs++) await page.keyboard.press('Tab');
    const focused = await page.evaluate(`document.querySelector(':focus-visible').textContent`);
    expect(focused).toBe('Lines/s');
    await page.keyboard.press('Enter');
    expect(await names()).toEqual(['web-2', 'web-1', 'web-3']);
    expect(await header.getAttribute('aria-sort')).toBe('descending');
    await page.keyboard.press('Space');
    expect(await names()).toEqual(['web-3', 'web-1', 'web-2']);
    expect(await header.getAttribute('aria-sort')).toBe('ascending');
    expect(await page.locator('th[aria-sort="none"]').count()).toBe(6);
  });

  it('filters containers by all words of the filter', async () => {
    await rig.serve();
    const { page } = await rig.visit();
    await page.getByLabel('Filter').fill('WEB merged');
    await page.getByText('1 of 3').waitFor();
    expect(await page.locator('#container-rows th').allInnerTexts()).toEqual(['web-1']);
  });

  it('changes the rows of a thousand containers in place', async () => {
    const containers = Array.from({ length: 1000 }, (_, at) => sampleContainer(at + 1));
    rig.status = sampleStatus({ containers });
    await rig.serve();
    const { page } = await rig.visit();
    const rows = page.locator('#container-rows tr');
    await until('a thousand rows', async () => (await rows.count()) === 1000);
    await page.evaluate(`${ROW_500}.mark = 'the same'`);
    const recovered = containers.map((container) => ({ ...container, recovered: 77 }));
    rig.status = sampleStatus({ containers: recovered });
    await until('new figures', async () =>
      (await rows.nth(500).allInnerTexts()).join('').includes('77'),
    );
    expect(await page.evaluate(`${ROW_500}.mark`)).toBe('the same');
  });

  it('leads from the first Tab to the figures', async () => {
    await rig.serve();
    const { page } = await rig.visit();
    await page.getByText('All is well').waitFor();
    await page.keyboard.press('Tab');
    const skip = page.getByText('Skip to the figures');
    expect((await skip.boundingBox())?.x).toBeGreaterThanOrEqual(0);
    await page.keyboard.press('Enter');
    await until('the focus is there', () =>
      page.evaluate<boolean>(`document.activeElement.id === 'main'`),
    );
  });

  it.each([320, 375, 768, 1280])('fits a screen %i pixels wide', async (width) => {
    const long = 'a-name-without-any-place-to-break-it'.repeat(4);
    rig.status = {
      ...troubledStatus(),
      outputs: [{ ...failingOutput(), name: long, last_error: long }],
      containers: [sampleContainer(1, { name: long, is_removed: true, recovered: 123_456_789 })],
      dropped: { [long]: { [long]: 1e12 } },
      gaps: [{ container: long, reason: long, times: 12 }],
      journal: { ...rig.status.journal, dir: `/${long}`, state: 'disk_full' },
    };
    await rig.serve();
    const { page } = await rig.visit({ viewport: { width, height: 700 } });
    await page.getByText('disk full').waitFor();
    const widths = 'Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)';
    expect(await page.evaluate(widths)).toBe(width);
  });

  it('is dark or light as the system is, with text that stands out either way', async () => {
    rig.status = troubledStatus();
    await rig.serve();
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page } = await rig.visit({ colorScheme });
      await page.getByText('retrying').waitFor();
      const ground = luminance(
        await page.evaluate(`getComputedStyle(document.body).backgroundColor`),
      );
      expect(ground < 0.5).toBe(colorScheme === 'dark');
      const pairs = await page.evaluate(TEXT_ON_GROUND);
      for (const { text, color, behind } of pairs as {
        text: string;
        color: string;
        behind: string;
      }[]) {
        expect({ text, ratio: contrast(color, behind) >= 4.5 }).toEqual({ text, ratio: true });
      }
    }
  });

  it('stands still for those who asked for less motion', async () => {
    await rig.serve();
    const animation = async (reducedMotion: 'reduce' | 'no-preference') => {
      const { page } = await rig.visit({ reducedMotion });
      await page.getByText('● live').waitFor();
      return page.evaluate(`getComputedStyle(document.querySelector('.shaft')).animationName`);
    };
    expect(await animation('no-preference')).toBe('flow');
    expect(await animation('reduce')).toBe('none');
  });

  it('begins its plots anew when the clock is set back', async () => {
    await rig.serve();
    const { page, errors } = await rig.visit();
    await page.getByText('● live').waitFor();
    rig.status = sampleStatus({ now_ms: SAMPLE_NOW_MS - 86_400_000, version: 'yesterday' });
    await page.getByText('yesterday').waitFor();
    expect(errors).toEqual([]);
  });
});

const ROW_500 = `document.querySelectorAll('#container-rows tr')[500]`;

/** As it is seen. */
async function textOf(page: Page, selector: string): Promise<string> {
  const texts = await page.locator(selector).allInnerTexts();
  return texts.join('\n');
}

/** Each element with text of its own: its colour, and the first background beneath it that is one. */
const TEXT_ON_GROUND = `
  [...document.querySelectorAll('body *')]
    .filter((node) => node.checkVisibility() && node.closest('.skip, option') === null)
    .filter((node) => [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim() !== ''))
    .map((node) => {
      let behind = node;
      while (getComputedStyle(behind).backgroundColor === 'rgba(0, 0, 0, 0)') behind = behind.parentElement;
      return {
        text: node.textContent.trim().slice(0, 40),
        color: getComputedStyle(node).color,
        behind: getComputedStyle(behind).backgroundColor,
      };
    })`;

/** WCAG 2.2, relative luminance of `rgb(r, g, b)`. */
function luminance(color: unknown): number {
  const [r = 0, g = 0, b = 0] = [...String(color).matchAll(/\d+/g)].map(([digits]) => {
    const part = Number(digits) / 255;
    return part <= 0.040_45 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].toSorted((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}
