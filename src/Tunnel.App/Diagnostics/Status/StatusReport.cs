using System.Text.Json;
using System.Text.Json.Serialization;
using Tunnel.App.Runtime.Pool;

namespace Tunnel.App.Diagnostics.Status;

/// <summary>
/// What an end does now, as /status says it. Names say the units; rates are those of the last second. There are no secrets in it.
/// </summary>
public sealed record StatusReport
{
    public required string Version { get; init; }

    /// <summary>client or server.</summary>
    public required string Role { get; init; }

    public required int Pid { get; init; }

    /// <summary>When the process started; another time is another process.</summary>
    public required DateTimeOffset Started { get; init; }

    public required double UptimeSeconds { get; init; }

    /// <summary>The name of the link that is open; null while there is none.</summary>
    public required string? Link { get; init; }

    public required bool Ready { get; init; }

    /// <summary>Why it is not ready.</summary>
    public required string? Unready { get; init; }

    public required RateSample Now { get; init; }

    public required int SessionCount { get; init; }

    /// <summary>The busiest ones, if there are many.</summary>
    public required IReadOnlyList<SessionReport> Sessions { get; init; }

    public required int StreamCount { get; init; }

    /// <summary>The busiest ones, if there are many.</summary>
    public required IReadOnlyList<StreamReport> Streams { get; init; }

    public required IReadOnlyList<ConnectionStatus> Connections { get; init; }

    public required MemoryReport Memory { get; init; }

    public required GarbageReport Gc { get; init; }
}

/// <summary>One second of an end: what the charts are made of.</summary>
/// <param name="UnixMilliseconds">When.</param>
/// <param name="StreamInBytesPerSecond">Out of the tunnel.</param>
/// <param name="StreamOutBytesPerSecond">Into the tunnel.</param>
/// <param name="LinkInBytesPerSecond">At the link.</param>
/// <param name="LinkOutBytesPerSecond">At the link.</param>
/// <param name="LinkInPacketsPerSecond">At the link.</param>
/// <param name="LinkOutPacketsPerSecond">At the link.</param>
/// <param name="RttMilliseconds">Mean of the round trips measured in this second; null when there was none.</param>
/// <param name="SegmentsPerSecond">Data segments sent.</param>
/// <param name="RetransmissionsPerSecond">Of these, sent again.</param>
/// <param name="DropsPerSecond">Datagrams not used, packets that the kernel dropped or refused.</param>
/// <param name="Sessions">That there are.</param>
/// <param name="Streams">That are open.</param>
/// <param name="CpuPercent">Of one processor.</param>
/// <param name="ResidentBytes">Memory of the process.</param>
/// <param name="HeapBytes">On the runtime's heap.</param>
/// <param name="GcPauseMillisecondsPerSecond">Time that collections held the process up.</param>
/// <param name="GcCollectionsPerSecond">Of any generation.</param>
public sealed record RateSample(
    long UnixMilliseconds,
    double StreamInBytesPerSecond,
    double StreamOutBytesPerSecond,
    double LinkInBytesPerSecond,
    double LinkOutBytesPerSecond,
    double LinkInPacketsPerSecond,
    double LinkOutPacketsPerSecond,
    double? RttMilliseconds,
    double SegmentsPerSecond,
    double RetransmissionsPerSecond,
    double DropsPerSecond,
    int Sessions,
    int Streams,
    double CpuPercent,
    long ResidentBytes,
    long HeapBytes,
    double GcPauseMillisecondsPerSecond,
    double GcCollectionsPerSecond);

/// <summary>A session. Windows in segments.</summary>
/// <param name="LossPercent">Segments sent again, of those sent, in the last seconds.</param>
/// <param name="PacingBytesPerSecond">What may leave; 0 while what leaves is not paced.</param>
/// <param name="InBytesPerSecond">Out of its streams.</param>
/// <param name="OutBytesPerSecond">Into its streams.</param>
public sealed record SessionReport(
    string Peer,
    string Conv,
    double AgeSeconds,
    double IdleSeconds,
    int Streams,
    int RttMilliseconds,
    int RtoMilliseconds,
    double LossPercent,
    int InFlight,
    int InFlightBytes,
    long PacingBytesPerSecond,
    int SendWindow,
    int RemoteWindow,
    int LocalWindow,
    long InBytes,
    long OutBytes,
    double InBytesPerSecond,
    double OutBytesPerSecond,
    long Retransmissions,
    long Duplicates,
    long MemoryBytes);

/// <summary>A stream.</summary>
/// <param name="Kind">tcp, udp, or control while it carries nothing of an application's.</param>
/// <param name="Target">Where it goes; empty when that is not known (yet).</param>
public sealed record StreamReport(
    string Peer,
    string Conv,
    uint Id,
    string Kind,
    string Target,
    double AgeSeconds,
    long InBytes,
    long OutBytes,
    double InBytesPerSecond,
    double OutBytesPerSecond);

/// <summary>Memory.</summary>
/// <param name="ResidentBytes">Of the process.</param>
/// <param name="HeapBytes">On the runtime's heap.</param>
/// <param name="SessionsBytes">In windows and buffers of sessions.</param>
/// <param name="LimitBytes">What sessions may take before no new one is taken; null where there is no such ceiling.</param>
public sealed record MemoryReport(long ResidentBytes, long HeapBytes, long SessionsBytes, long? LimitBytes);

/// <summary>Garbage collections since the start.</summary>
/// <param name="Collections">By generation.</param>
/// <param name="PauseMilliseconds">Time that they held the process up.</param>
/// <param name="AllocatedBytes">On the heap.</param>
public sealed record GarbageReport(IReadOnlyList<int> Collections, double PauseMilliseconds, long AllocatedBytes);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, Converters = [typeof(ConnectionStateConverter)])]
[JsonSerializable(typeof(StatusReport))]
[JsonSerializable(typeof(IReadOnlyList<RateSample>))]
public sealed partial class StatusJson : JsonSerializerContext;

/// <summary>States by their names, as all else is named.</summary>
internal sealed class ConnectionStateConverter() : JsonStringEnumConverter<ConnectionState>(JsonNamingPolicy.SnakeCaseLower);
