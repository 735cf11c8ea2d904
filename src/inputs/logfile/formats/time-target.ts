/** Where a time that was read goes. */
export interface TimeTarget {
  time_s: number;
  time_ns: number;
}

/** The last second that an EventTime can carry, in 2106. */
export const SECONDS_MAX = 0xffffffff;
