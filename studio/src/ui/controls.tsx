import type { ButtonHTMLAttributes, ComponentChildren, JSX } from 'preact';
import { Icon, type IconName } from './icons.tsx';

type ButtonProps = Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'icon' | 'label'>;

/** A button with words; `kind` says how much it wants to be pressed. */
export function Button({
  icon,
  kind = 'plain',
  children,
  ...rest
}: ButtonProps & {
  icon?: IconName;
  kind?: 'plain' | 'primary' | 'quiet' | 'danger';
  children: ComponentChildren;
}): JSX.Element {
  return (
    <button type="button" {...rest} class={`button ${kind}`}>
      {icon && <Icon name={icon} />}
      <span>{children}</span>
    </button>
  );
}

/** A button that shows a picture; its words are for the pointer that rests on it, and for screen readers. */
export function IconButton({
  icon,
  label,
  size,
  ...rest
}: ButtonProps & { icon: IconName; label: string; size?: number }): JSX.Element {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      {...rest}
      class={`icon-button ${rest.class ?? ''}`}
    >
      <Icon name={icon} {...(size ? { size } : {})} />
    </button>
  );
}

/** What is wrong with a field, in words, where a screen reader finds it. */
export function FieldError({ id, message }: { id: string; message: string | undefined }): JSX.Element | null {
  if (message === undefined) return null;
  return (
    <p class="field-error" id={`${id}-error`}>
      <Icon name="warning" size={14} />
      {capital(message)}
    </p>
  );
}

/** For a control whose field may be wrong. */
export const invalid = (id: string, message: string | undefined) =>
  message === undefined ? {} : { 'aria-invalid': true, 'aria-describedby': `${id}-error` };

/** A control under its name. */
export function Field({
  id,
  label,
  hint,
  error,
  children,
}: {
  id: string;
  label: string;
  hint?: string | undefined;
  error?: string | undefined;
  children: ComponentChildren;
}): JSX.Element {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children}
      <FieldError id={id} message={error} />
      {hint && error === undefined && <p class="field-hint">{hint}</p>}
    </div>
  );
}

export interface Choice {
  value: string;
  label: string;
}

/** A list to choose from. A present value that is not among the choices is added. */
export function Select({
  id,
  value,
  choices,
  onChange,
  ...rest
}: {
  id: string;
  value: string;
  choices: readonly Choice[];
  onChange(value: string): void;
  class?: string;
  title?: string;
  'aria-label'?: string;
  'aria-invalid'?: boolean;
  disabled?: boolean;
  'aria-describedby'?: string;
}): JSX.Element {
  const known = choices.some((choice) => choice.value === value);
  return (
    <select {...rest} id={id} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
      {!known && <option value={value}>{value}</option>}
      {choices.map((choice) => (
        <option key={choice.value} value={choice.value}>
          {choice.label}
        </option>
      ))}
    </select>
  );
}

/** Something is on or off. */
export function Switch({
  id,
  label,
  hint,
  checked,
  onChange,
}: {
  id: string;
  label: string;
  hint?: string;
  checked: boolean;
  onChange(checked: boolean): void;
}): JSX.Element {
  return (
    <label class="switch" for={id}>
      <input
        id={id}
        type="checkbox"
        role="switch"
        aria-checked={checked}
        checked={checked}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <span class="switch-words">
        {label}
        {hint && <small>{hint}</small>}
      </span>
    </label>
  );
}

/** A placeholder for an empty page: what will be here, and how to get it. */
export function Empty({
  icon,
  title,
  children,
}: {
  icon: IconName;
  title: string;
  children?: ComponentChildren;
}): JSX.Element {
  return (
    <div class="empty">
      <span class="empty-icon">
        <Icon name={icon} size={22} />
      </span>
      <h2>{title}</h2>
      <div class="empty-words">{children}</div>
    </div>
  );
}

/** Something went wrong: what, and what to do. */
export function Notice({
  kind,
  children,
  action,
}: {
  kind: 'bad' | 'warn' | 'info';
  children: ComponentChildren;
  action?: ComponentChildren;
}): JSX.Element {
  return (
    <div class={`notice ${kind}`} role={kind === 'bad' ? 'alert' : 'status'}>
      <Icon name="warning" />
      <div class="notice-words">{children}</div>
      {action}
    </div>
  );
}

export function Progress({ value, label }: { value: number; label: string }): JSX.Element {
  return (
    <span
      class="progress"
      role="progressbar"
      aria-label={label}
      aria-valuenow={Math.round(value)}
      aria-valuemin={0}
      aria-valuemax={100}
    >
      <span style={{ width: `${value}%` }} />
    </span>
  );
}

export const capital = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);
