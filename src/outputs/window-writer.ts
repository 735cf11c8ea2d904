import { decodeWindow as decodeFileWindow } from './file/window.ts';
import { decodeJoined } from './joining/join-state.ts';

/**
 * Which type of output wrote a cursor's window, and so has to go on from it; undefined for
 * one that says nothing, from which any may. (stdout keeps no window.)
 *
 * @throws LB_JOURNAL_VERSION when a newer logboom wrote it
 */
export function windowWriter(cursor_window: Buffer): 'file' | 'forward' | undefined {
  const window = decodeJoined(cursor_window)?.window ?? cursor_window;
  if (window.length === 0) return undefined;
  return decodeFileWindow(window) === undefined ? 'forward' : 'file';
}
