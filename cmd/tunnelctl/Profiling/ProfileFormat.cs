namespace Tunnel.Ctl.Profiling;

/// <summary>What is written to the file.</summary>
internal enum ProfileFormat
{
    Pprof,
    Speedscope,
    Nettrace,
}

internal static class ProfileFormatExtensions
{
    /// <summary>As it is typed and as the field writes it.</summary>
    public static string Word(this ProfileFormat format) => format.ToString().ToLowerInvariant();

    /// <summary>The ending of the format's files.</summary>
    public static string Ending(this ProfileFormat format) => format switch
    {
        ProfileFormat.Speedscope => ".speedscope.json",
        ProfileFormat.Nettrace => ".nettrace",
        _ => ".pb.gz",
    };
}
