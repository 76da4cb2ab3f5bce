using System.Globalization;

namespace Tunnel.Ctl.Demo;

/// <summary>What the demo carried.</summary>
/// <param name="Name">download or upload.</param>
/// <param name="Bytes">Of the body.</param>
/// <param name="Seconds">From the request to the last byte.</param>
/// <param name="IsWhole">Both hashes are the same.</param>
internal sealed record DemoTransfer(string Name, long Bytes, double Seconds, bool IsWhole);

/// <param name="Transfers">One a direction.</param>
/// <param name="Retransmissions">KCP segments sent again, both ends together.</param>
/// <param name="KernelDrops">Packets that the kernels dropped before the tunnel saw them, both ends together.</param>
/// <param name="ProcessorSeconds">Both ends' processor time, starting up included.</param>
internal sealed record DemoResult(IReadOnlyList<DemoTransfer> Transfers, long Retransmissions, long KernelDrops, double ProcessorSeconds)
{
    public bool IsWhole => Transfers.Count == 2 && Transfers.All(t => t.IsWhole);

    public void Print(TextWriter output)
    {
        output.WriteLine();
        output.WriteLine("            bytes     seconds    Mbit/s   SHA-256");
        foreach (DemoTransfer t in Transfers)
        {
            double rate = t.Bytes * 8 / t.Seconds / 1e6;
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{t.Name,-9}{t.Bytes,12}{t.Seconds,10:0.000}{rate,10:0}   {(t.IsWhole ? "same" : "DIFFERENT")}"));
        }

        output.WriteLine();
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"retransmissions {Retransmissions}, kernel drops {KernelDrops}, tunnel processor time {ProcessorSeconds:0.0} s with start-up"));
    }
}
