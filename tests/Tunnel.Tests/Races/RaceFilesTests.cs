using System.Xml.Linq;
using Tunnel.Bench;
using Tunnel.Bench.Contenders;
using Tunnel.Bench.Results;
using Tunnel.Ctl.Bench;
using static Tunnel.Tests.Races.SampleRace;

namespace Tunnel.Tests.Races;

/// <summary>What is kept of a race, compared, and shown.</summary>
public sealed class RaceFilesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("tunnel-races-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void ASummarySaysAsMuchAsItsRace()
    {
        RaceResult race = Of(Bulk("ours, afpacket", ContenderKind.Ours, 5000, 5100, 5200), Bulk("kcptun", ContenderKind.Peer, 500));
        RaceRun.Save(race, _folder);
        RaceRun.Record(race, _folder);
        var fromRace = RaceSummary.Load(Path.Combine(_folder, "race.json"));
        var fromSummary = RaceSummary.Load(Path.Combine(_folder, "baseline.json"));
        Assert.Equal(fromRace.ToJson(), fromSummary.ToJson());
        Assert.Equal([5000, 5100, 5200], fromSummary.Lanes[0].Figures["Mbit/s"]);
    }

    [Fact]
    public void OnlyWhatIsMoreThanNoiseIsAChange()
    {
        RaceSummary before = RaceSummary.Of(Of(Bulk("ours, afpacket", ContenderKind.Ours, 5000, 5100, 5200)));
        RaceSummary same = RaceSummary.Of(Of(Bulk("ours, afpacket", ContenderKind.Ours, 5150, 4950, 5250)));
        RaceSummary faster = RaceSummary.Of(Of(Bulk("ours, afpacket", ContenderKind.Ours, 7000, 7100, 7200)));
        Assert.EndsWith("| noise |", RowOf(RaceComparison.Write(before, same), "Mbit/s"), StringComparison.Ordinal);
        Assert.EndsWith("| better |", RowOf(RaceComparison.Write(before, faster), "Mbit/s"), StringComparison.Ordinal);
        Assert.EndsWith("| worse |", RowOf(RaceComparison.Write(faster, before), "Mbit/s"), StringComparison.Ordinal);
    }

    [Fact]
    public void WhatHasNothingInCommonIsRefused() => Assert.Throws<BenchException>(() => RaceComparison.Write(
        RaceSummary.Of(Of(Bulk("ours, afpacket", ContenderKind.Ours, 1))), RaceSummary.Of(Of(Bulk("ours, udp", ContenderKind.Ours, 1)))));

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"summary":99,"lanes":[]}""")]
    [InlineData("[1]")]
    [InlineData("no json")]
    public void OtherFilesAreRefused(string text)
    {
        string path = Path.Combine(_folder, "other.json");
        File.WriteAllText(path, text);
        Assert.Throws<BenchException>(() => RaceSummary.Load(path));
    }

    [Fact]
    public void ThePictureIsDrawnToScaleAndCutsWhatNoTunnelReaches()
    {
        XElement picture = Draw(
            Bulk("ours, afpacket", ContenderKind.Ours, 5000, 5100, 5200), Bulk("kcptun", ContenderKind.Peer, 510), Bulk("no tunnel", ContenderKind.None, 25_000));
        double ours = WidthOf(picture, "ours1"), kcptun = WidthOf(picture, "peer"), none = WidthOf(picture, "none");
        Assert.InRange(ours / kcptun, 9.9, 10.1);
        Assert.InRange(none / ours, 5200 / 5100.0 - 0.01, 5200 / 5100.0 + 0.01);
        Assert.Contains(picture.Descendants(), e => (string?)e.Attribute("class") == "c");
        Assert.Contains(picture.Descendants(), e => e.Value == "25,000");
    }

    private static XElement Draw(params LaneResult[] lanes) => XDocument.Parse(RaceChart.Write(Of(lanes))).Root!;

    private static double WidthOf(XElement picture, string kind) =>
        (double)picture.Descendants().First(e => (string?)e.Attribute("class") == kind).Attribute("width")!;

    private static string RowOf(string table, string figure) =>
        table.Split('\n', StringSplitOptions.TrimEntries).Single(l => l.Contains($"| {figure} |", StringComparison.Ordinal));
}
