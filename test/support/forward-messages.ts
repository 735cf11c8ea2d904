/** The messages of formats.md 1.14 and 3.2, and more shapes, as bytes. */
export const hex = (text: string): Buffer => Buffer.from(text.replace(/\s+/g, ''), 'hex');

/** `{"log":"hi"}`, `{"log":"yo"}` */
export const RECORD = '81a36c6f67a26869';
const RECORD_2 = '81a36c6f67a2796f';
export const TAG = 'a3617070';
/** 1441588984 s, 123456789 ns. */
export const EVENT_TIME = 'd70055ece6f8075bcd15';
const EVENT_TIME_EXT8 = 'c7080055ece6f8075bcd15';
export const CHUNK_ID = 'AAAAAAAAAAAAAAAAAAAAAA==';
const CHUNK = 'b8414141414141414141414141414141414141414141413d3d';

export const ENTRY_1 = `92${EVENT_TIME}${RECORD}`;
export const ENTRY_2 = `92ce55ece6f9${RECORD_2}`;
export const ENTRIES = `${ENTRY_1}${ENTRY_2}`;
export const METADATA_ENTRY = `9292${EVENT_TIME}80${RECORD}`;

const GZIP_MEMBERS =
  '1f8b08000000000000039b749d21f4cdb31fecd167451b17e7e4a72fcac804003968e99c13000000' +
  '1f8b08000000000000039b742ef4cdb39f8d8b73f2d31755e60300ab5930690e000000';
const SIZE_2 = 'a473697a6502';
const COMPRESSED_TEXT = 'aa636f6d70726573736564a474657874';
const COMPRESSED_GZIP = 'aa636f6d70726573736564a4677a6970';

/** A line of Docker 20.10 (formats.md 3.2), the container id spelled out. */
const DOCKER_LINE = `94ac303731373335396530323765d26b03d67184
  ac636f6e7461696e65725f6964d940${Buffer.from('071735'.repeat(11).slice(0, 64)).toString('hex')}
  ae636f6e7461696e65725f6e616d65a72f7265665f6631
  a6736f75726365a67374646f7574a36c6f67a26869`;

export const SAMPLES = {
  message_int_time: hex(`94${TAG}ce55ece6f8${RECORD}80`),
  message_3_elements: hex(`93${TAG}${EVENT_TIME}${RECORD}`),
  message_nil_option: hex(`94${TAG}ce55ece6f8${RECORD}c0`),
  message_ext8_time: hex(`94${TAG}${EVENT_TIME_EXT8}${RECORD}80`),
  message_chunk: hex(`94${TAG}${EVENT_TIME}${RECORD}81a56368756e6b${CHUNK}`),
  message_metadata: hex(`94${TAG}${EVENT_TIME}${RECORD}81a86d6574616461746181a16b01`),
  message_golang: hex('94a76170702e6c6f67d255ece6f881a16da2686980'),
  message_golang_precise: hex('94a76170702e6c6f67d70055ece6f8075bcd1581a16da2686980'),
  docker_line: hex(`${DOCKER_LINE}80`),
  docker_line_with_ack: hex(`${DOCKER_LINE}81a56368756e6b${CHUNK}`),
  forward: hex(`93${TAG}92${ENTRIES}81${SIZE_2}`),
  forward_no_option: hex(`92${TAG}92${ENTRIES}`),
  forward_array16: hex(`92${TAG}dc0002${ENTRIES}`),
  forward_array32: hex(`92${TAG}dd00000002${ENTRIES}`),
  forward_metadata: hex(`92${TAG}92${METADATA_ENTRY}${ENTRY_2}`),
  forward_empty: hex(`92${TAG}90`),
  packed_bin8: hex(`92${TAG}c421${ENTRIES}`),
  packed_bin16: hex(`92${TAG}c50021${ENTRIES}`),
  packed_bin32: hex(`92${TAG}c600000021${ENTRIES}`),
  packed_fixstr: hex(`92${TAG}b3${ENTRY_1}`),
  packed_str8: hex(`92${TAG}d921${ENTRIES}`),
  packed_str16: hex(`92${TAG}da0021${ENTRIES}`),
  packed_fluentd: hex(`93${TAG}db00000021${ENTRIES}82${SIZE_2}${COMPRESSED_TEXT}`),
  packed_fluentd_chunk: hex(
    `93${TAG}db00000021${ENTRIES}83${SIZE_2}${COMPRESSED_TEXT}a56368756e6bb9${CHUNK.slice(2)}0a`,
  ),
  packed_unknown_options: hex(`93${TAG}c421${ENTRIES}83a161a16201a163a46e616d6581a17801`),
  packed_empty: hex(`93${TAG}c40080`),
  compressed_2_members: hex(`93${TAG}c44b${GZIP_MEMBERS}82${COMPRESSED_GZIP}${SIZE_2}`),
  compressed_by_magic: hex(`93${TAG}c44b${GZIP_MEMBERS}81${SIZE_2}`),
  compressed_zstd: hex(`93${TAG}c40628b52ffd0001 81aa636f6d70726573736564a47a737464`),
  signal_metrics: hex(`93${TAG}c403a2686981ad666c75656e745f7369676e616c01`),
  irregular_times: hex(
    `92${TAG}94 92c0${RECORD} 9200${RECORD} 92cb41d57b39be1fffff${RECORD} ${ENTRY_1}`,
  ),
  invalid_events: hex(`92${TAG}94 ${ENTRY_1} a2686f 92a161${RECORD} 92${EVENT_TIME}c0`),
  message_record_nil: hex(`94${TAG}${EVENT_TIME}c081a56368756e6b${CHUNK}`),
  packed_cut_off: hex(`92${TAG}c41b${ENTRIES.slice(0, 54)}`),
  group_markers: hex(
    `92${TAG}93 9292d700ffffffff0000000080${RECORD} ${METADATA_ENTRY} 9292d700fffffffe000000008080`,
  ),
} as const;

export type SampleName = keyof typeof SAMPLES;
export const SAMPLE_NAMES = Object.keys(SAMPLES) as SampleName[];
