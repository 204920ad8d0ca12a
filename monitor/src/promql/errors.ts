// What can be wrong with a question, for PromQL and LogQL alike. More to read than one question may
// is the source's LimitError (model.ts); a question that was given up throws its signal's reason.

export type QueryErrorKind =
  /** The text does not parse, or its types do not fit. */
  | 'syntax'
  /** The language has it, this evaluator does not. The sentence names it, and what there is. */
  | 'unsupported'
  /** The text is right, the data is not: a match that is not unique, say. */
  | 'execution';

export class QueryError extends Error {
  override readonly name = 'QueryError';
  readonly kind: QueryErrorKind;
  /** Where in the text, counted in UTF-16 units from 0; absent where no place is to blame. */
  readonly position: number | undefined;

  constructor(kind: QueryErrorKind, sentence: string, position?: number) {
    super(position === undefined ? sentence : `at character ${position + 1}: ${sentence}`);
    this.kind = kind;
    this.position = position;
  }
}
