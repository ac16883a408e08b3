import { useSignal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import type { Asset } from '../../../src/job/previewJob.types.ts';
import { Icon, type IconName } from '../ui/icons.tsx';
import { errors } from './session.ts';
import { failureOf } from './uploads.ts';

/** Settings that belong together, below a line with their present values. */
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
  /** Names of its fields. The panel stays open while one of them has an error. */
  fields: readonly string[];
  /** The panel also stays open while one of its files cannot be used. */
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
        // It stays open after the correction, because that is where the author is.
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
