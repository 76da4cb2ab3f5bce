using System.Globalization;
using System.Text.Json.Serialization;

namespace Tunnel.Ctl.Ping;

/// <summary>What a run of ping found.</summary>
/// <param name="Server">address:port</param>
/// <param name="Link">pcap, afpacket or udp.</param>
/// <param name="Levels">One each level that was asked.</param>
/// <param name="Problems">What is wrong, the most telling first; empty when nothing is.</param>
/// <param name="Evidence">What the problems were read from.</param>
internal sealed record PingReport(
    string Server, string Link, IReadOnlyList<PingSummary> Levels, IReadOnlyList<string> Problems, PingEvidence Evidence)
{
    /// <summary>Anything at all came back.</summary>
    [JsonIgnore]
    public bool Reached => Levels.Any(l => l.Received > 0);

    public void Print(TextWriter to)
    {
        to.WriteLine($"--- {Server} ---");
        to.WriteLine("level     sent  back   loss      min   median      p95      max  (milliseconds)");
        foreach (PingSummary s in Levels)
        {
            string name = JsonText.Word(s.Level);
            to.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{name,-8}{s.Sent,6}{s.Received,6}{s.LossPercent,6:0.#}%{Cell(s.Min)}{Cell(s.Median)}{Cell(s.P95)}{Cell(s.Max)}"));
        }
    }

    public void PrintJson(TextWriter to) => to.WriteLine(JsonText.Write(this));

    private static string Cell(double? milliseconds) =>
        milliseconds is { } value ? value.ToString("0.000", CultureInfo.InvariantCulture).PadLeft(9) : "-".PadLeft(9);
}
