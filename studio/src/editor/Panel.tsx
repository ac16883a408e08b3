import { useSignal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import type { Asset } from '../../../src/job/previewJob.types.ts';
import { Icon, type IconName } from '../ui/icons.tsx';
import { errors } from './session.ts';
import { failureOf } from './uploads.ts';

/** Settings that belong together, below a line that says how they are now. */
export function Panel({
  icon,
  title,
  now,
  fields,
  files = [],
  children,
}: {
  icon: IconName;
  title: string;
  now: string;
  /** Names of its fields: where one of them is wrong it cannot be closed. */
  fields: readonly string[];
  /** Nor where one of its files cannot be used. */
  files?: readonly (Asset | undefined)[];
  children: ComponentChildren;
}): JSX.Element {
  const isBad =
    files.some((file) => failureOf(file)) || fields.some((field) => errors.value.fields.has(field));
  const isOpen = useSignal(false);
  return (
    <details
      class={`panel ${isBad ? 'panel-bad' : ''}`}
      open={isOpen.value || isBad}
      onToggle={({ currentTarget: panel }) => {
        if (isBad) panel.open = true;
        // It stays open when that is put right: there is who has done it.
        isOpen.value = panel.open;
      }}
    >
      <summary>
        <Icon name={icon} />
        <strong>{title}</strong>
        <span class="panel-now">{now}</span>
        <Icon name="chevron" />
      </summary>
      <div class="panel-fields">{children}</div>
    </details>
  );
}
