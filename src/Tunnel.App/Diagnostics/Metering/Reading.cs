using Tunnel.App.Runtime;
using Tunnel.App.Runtime.Traffic;

namespace Tunnel.App.Diagnostics.Metering;

/// <summary>Everything that metrics are made of, read once.</summary>
internal sealed record Reading(ITunnelEnd End, TrafficTotals Totals, IReadOnlyList<SessionStatus> Sessions)
{
    public static Reading Take(ITunnelEnd end) =>
        new(end, end.Ledger.Read(), [.. end.Ledger.GetSessions().Select(session => session.GetStatus())]);

    public IEnumerable<Sample> PerLink(Func<LinkTotals, long> value) =>
        Totals.Links.Select(link => new Sample(value(link.Value), new Label("link", link.Key)));

    public IEnumerable<Sample> PerLink(Func<LinkTotals, long> received, Func<LinkTotals, long> sent) => Totals.Links.SelectMany(link => new[]
    {
        new Sample(received(link.Value), new Label("direction", "in"), new Label("link", link.Key)),
        new Sample(sent(link.Value), new Label("direction", "out"), new Label("link", link.Key)),
    });

    public static IEnumerable<Sample> One(double value) => [new Sample(value)];

    public static IEnumerable<Sample> InOut(double received, double sent) => By("direction", ("in", received), ("out", sent));

    public static IEnumerable<Sample> By(string key, params (string Word, double Value)[] values) =>
        values.Select(v => new Sample(v.Value, new Label(key, v.Word)));
}
