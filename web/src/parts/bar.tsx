/** How far something is, in percent. */
import './bar.css';

interface Props {
  label: string;
  percent: number;
  /** `still`: it does not go on. */
  tone?: 'going' | 'still';
}

export function Bar({ label, percent, tone = 'going' }: Props) {
  const now = Math.round(Math.min(100, Math.max(0, percent)));
  return (
    <div className={`bar bar--${tone}`} role="progressbar" aria-label={label} aria-valuenow={now}>
      <div className="bar__fill" style={{ transform: `scaleX(${percent / 100})` }} />
    </div>
  );
}
