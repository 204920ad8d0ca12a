// What a message says, in plain words; Slack and mail send the same.

import type { Message, Told } from './notification-plan.ts';

const alertsShownMax = 20;

export type MessageText = { subject: string; lines: string[] };

/** @param link where the monitor shows its alerts, when it knows */
export function writeMessage({ group, firing, resolved }: Message, link?: string): MessageText {
  const first = firing[0] ?? resolved[0];
  const severity = first?.labels['severity'] ?? 'ticket';
  const title =
    firing.length > 0
      ? `[${severity}] ${group}: ${first?.annotations['summary'] ?? ''}`
      : `[resolved] ${group}`;
  const more = firing.length > 1 ? ` and ${firing.length - 1} more` : '';
  const lines = [
    ...shown(firing, 'FIRING'),
    ...shown(resolved, 'resolved'),
    ...(firing.length > 0 && first ? [first.annotations['description'] ?? ''] : []),
    ...(first
      ? [`Runbook: ${first.annotations['runbook']} (owner: ${first.labels['owner']})`]
      : []),
    ...(link === undefined ? [] : [`All alerts: ${link}`]),
  ];
  return { subject: oneLine(`${title}${more}`), lines: lines.map(oneLine) };
}

function shown(alerts: readonly Told[], word: string): string[] {
  const lines = alerts
    .slice(0, alertsShownMax)
    .map(
      ({ annotations, firedAtMs }) =>
        `${word}: ${annotations['summary']}, since ${new Date(firedAtMs).toISOString()}`,
    );
  const hidden = alerts.length - lines.length;
  return hidden > 0 ? [...lines, `${word}: ${hidden} more`] : lines;
}

/** Label values come from whoever is watched: no line of theirs becomes one of ours. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ').slice(0, 1_000);
}
