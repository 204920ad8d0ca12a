// Everything that a run may suffer, by the names under which it is counted.

export const faultKinds = [
  'crash',
  'stop',
  'clock',
  'bus_down',
  'request_lost',
  'answer_lost',
  'slow_call',
  'store_failed',
  'commit_unheard',
  'slow_store',
  'publish_failed',
  'confirm_lost',
  'message_repeated',
  'message_late',
  'ack_lost',
  'hint_lost',
  'provider_silent',
  'provider_slow',
  'stream_cut',
  'claims_lost',
] as const;
export type FaultKind = (typeof faultKinds)[number];
