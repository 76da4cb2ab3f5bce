using System.Text;
using Tunnel.Ctl.Bench;

namespace Tunnel.Bench.Results;

/// <summary>What was aimed at, and what came of it.</summary>
internal static class TargetTable
{
    public static void Append(StringBuilder text, RaceResult race)
    {
        text.AppendLine().AppendLine("## Targets").AppendLine();
        text.AppendLine("| on the veth | at least | aim | reached | so |");
        text.AppendLine("|---|---:|---:|---:|---|");
        bool isDerived = false;
        foreach (Target target in Target.All)
        {
            Reached? reached = target.Read(race);
            isDerived |= reached is { IsDerived: true };
            string value = reached is null ? "" : BenchTable.Digits(reached.Value);
            string so = target.Judge(reached) ?? "not measured";
            string derived = reached is { IsDerived: true } ? "not measured; derived: " : "";
            text.AppendLine($"| {target.What} | {BenchTable.Digits(target.AtLeast)} | {BenchTable.Digits(target.Aim)} | {value} | {derived}{so} |");
        }

        if (isDerived)
            text.AppendLine("\nDerived: no paqet ran; its throughput is taken as 0.65 of kcptun's here, which is what others measured of the two side by side.");
    }
}
