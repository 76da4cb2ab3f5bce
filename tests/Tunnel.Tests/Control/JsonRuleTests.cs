using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using Tunnel.App.Diagnostics.Status;
using Tunnel.Ctl;
using Tunnel.Ctl.Bench;
using Tunnel.Ctl.Bench.Report;
using Tunnel.Ctl.Check;
using Tunnel.Ctl.Check.Setting;
using Tunnel.Ctl.Check.Snapshots;
using Tunnel.Ctl.Demo;
using Tunnel.Ctl.Emulate;
using Tunnel.Ctl.Init;
using Tunnel.Ctl.Ping;
using Tunnel.Ctl.TuneLoop;
using Tunnel.Tests.Tidy;

namespace Tunnel.Tests.Control;

/// <summary>
/// One rule for the JSON of every verb and of /status: names and words in lower case with underscores, and a number says its unit at the end of
/// its name, unless it counts what it is named after.
/// </summary>
public partial class JsonRuleTests
{
    /// <summary>Also by themselves: "seconds", "bytes".</summary>
    private static readonly string[] Units =
        ["_seconds", "_milliseconds", "_microseconds", "_bytes", "_percent", "_per_second"];

    /// <summary>What has no unit: things counted, that the names are of.</summary>
    private static readonly string[] Counted =
    [
        "backlog", "blacked_out", "concurrency", "connects", "corrupted", "count", "delivered", "drops", "dropped_by_cipher", "dropped_by_fec", "dropped_by_guard",
        "duplicated", "duplicates", "frames", "grown", "in_flight", "kernel_drops", "local_window", "lost", "most_waiting", "offered", "operations", "overflowed",
        "overflows", "ports", "processors", "received", "refused", "remote_window", "reordered", "requests", "resets", "retransmissions", "send_errors", "send_window",
        "sent", "session_count", "sessions", "sockets", "stream_count", "streams", "time_wait", "too_long", "unfinished",
    ];

    /// <summary>Names, ranks and versions that happen to be numbers; a figure whose unit stands beside it; KCP's and smux's own fields.</summary>
    private static readonly string[] NoQuantities =
    [
        "exit", "format", "id", "index", "pid", "priority", "reuse", "schema", "weight",
        "before", "after", "low", "high",
        "conv", "sn", "stream", "ts", "una", "wnd",
    ];

    /// <summary>What is written, and by which options.</summary>
    private static readonly JsonTypeInfo[] Roots =
    [
        StatusJson.Default.StatusReport, StatusJson.Default.IReadOnlyListRateSample,
        .. new[]
        {
            typeof(BenchResult), typeof(Comparison), typeof(ReportJson), typeof(TuneLoopJson), typeof(CheckJson), typeof(Snapshot), typeof(SnapshotDiff),
            typeof(ApplyJson), typeof(RevertJson), typeof(UndoFile), typeof(PingReport), typeof(EmulationReport), typeof(InitJson), typeof(DemoResult),
        }.Select(JsonText.Options.GetTypeInfo),
    ];

    [Fact]
    public void NamesAreInLowerCaseWithUnderscores() =>
        Sources.ExpectNone(Properties().Where(p => !Name().IsMatch(p.Json.Name)).Select(p => $"{p.Owner.Name}: {p.Json.Name}"));

    [Fact]
    public void WordsAreInLowerCaseWithUnderscores() => Sources.ExpectNone(
        from type in Types().Where(t => t.Type.IsEnum)
        from object value in Enum.GetValues(type.Type)
        let word = JsonSerializer.Serialize(value, type)
        where !Word().IsMatch(word)
        select $"{type.Type.Name}: {word}");

    [Fact]
    public void NumbersSayTheirUnits() => Sources.ExpectNone(
        Properties().Where(p => IsNumber(p.Json.PropertyType) && !SaysItsUnit(p.Json.Name)).Select(p => $"{p.Owner.Name}: {p.Json.Name}").Distinct());

    /// <summary>A profile and a packet, which no serializer writes.</summary>
    [Fact]
    public void SoDoThoseThatAreWrittenByHand() => Sources.ExpectNone(
        from file in Sources.CSharp("cmd/tunnelctl")
        from Match written in Written().Matches(Sources.Read(file))
        let name = written.Groups["name"].Value
        where !Name().IsMatch(name) || (written.Groups["kind"].Value == "Number" && !SaysItsUnit(name))
        select $"{file}: {name}");

    [Fact]
    public void OnePlaceSaysHow() => Sources.ExpectNone(
        from file in Sources.CSharp("cmd/tunnelctl")
        let text = Sources.Read(file)
        where !file.EndsWith("/JsonText.cs", StringComparison.Ordinal)
            && (text.Contains("JsonSourceGenerationOptions", StringComparison.Ordinal) || text.Contains("new JsonSerializerOptions", StringComparison.Ordinal)
                || text.Contains("JsonStringEnumConverter", StringComparison.Ordinal) || text.Contains("JsonSerializer.Serialize(", StringComparison.Ordinal)
                    && !text.Contains("JsonText.Options", StringComparison.Ordinal) && !text.Contains("StatusJson.Default", StringComparison.Ordinal))
        select file);

    private static bool SaysItsUnit(string name) => Units.Any(u => $"_{name}".EndsWith(u, StringComparison.Ordinal)) || Counted.Contains(name) || NoQuantities.Contains(name);

    private static bool IsNumber(Type type) => Type.GetTypeCode(Nullable.GetUnderlyingType(type) ?? type) is >= TypeCode.SByte and <= TypeCode.Decimal
        && !(Nullable.GetUnderlyingType(type) ?? type).IsEnum;

    private static IEnumerable<(Type Owner, JsonPropertyInfo Json)> Properties() =>
        Types().Where(t => t.Kind == JsonTypeInfoKind.Object).SelectMany(t => t.Properties.Where(p => p.Get is not null).Select(p => (t.Type, p)));

    /// <summary>All that is reached from the roots.</summary>
    private static JsonTypeInfo[] Types()
    {
        Dictionary<Type, JsonTypeInfo> seen = [];
        Stack<JsonTypeInfo> open = new(Roots);
        while (open.TryPop(out JsonTypeInfo? type))
        {
            if (!seen.TryAdd(type.Type, type))
                continue;
            IEnumerable<Type> inside = type.Kind == JsonTypeInfoKind.Object ? type.Properties.Where(p => p.Get is not null).Select(p => p.PropertyType)
                : type.ElementType is { } element ? [element] : [];
            foreach (Type next in inside.Select(t => Nullable.GetUnderlyingType(t) ?? t))
                open.Push(type.Options.GetTypeInfo(next));
        }

        return [.. seen.Values];
    }

    [GeneratedRegex("^[a-z][a-z0-9]*(_[a-z0-9]+)*$")]
    private static partial Regex Name();

    [GeneratedRegex("^\"[a-z][a-z0-9]*(_[a-z0-9]+)*\"$")]
    private static partial Regex Word();

    [GeneratedRegex(@"json\.Write(?<kind>String|Number|StartArray|StartObject|Boolean)\(""(?<name>[^""]+)""")]
    private static partial Regex Written();
}
