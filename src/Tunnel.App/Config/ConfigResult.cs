using System.Diagnostics.CodeAnalysis;

namespace Tunnel.App.Config;

/// <summary>A configuration, or everything that is wrong with its file.</summary>
/// <param name="FileName">The file, as the caller named it.</param>
/// <param name="Config">Null if there are problems.</param>
/// <param name="Problems">Sorted by place.</param>
/// <param name="Warnings">What works and should not stay so.</param>
public sealed record ConfigResult<T>(
    string FileName,
    T? Config,
    IReadOnlyList<ConfigProblem> Problems,
    IReadOnlyList<ConfigProblem> Warnings)
    where T : class
{
    /// <summary>The file's settings to be shown; null if there are problems.</summary>
    public ShownConfig? Shown { get; init; }

    /// <summary>The configuration key by key; null if there are problems.</summary>
    public ConfigSettings? Settings { get; init; }

    /// <summary>Every file that was read: this one, and those that it refers to.</summary>
    public IReadOnlyList<string> Files { get; init; } = [FileName];

    [MemberNotNullWhen(true, nameof(Config), nameof(Settings), nameof(Shown))]
    public bool IsValid => Config is not null && Settings is not null && Shown is not null;

    /// <summary>The problems, one a line, each with the file's name.</summary>
    public string DescribeProblems() => string.Join('\n', Problems.Select(problem => problem.ToString(FileName)));

    /// <summary>The warnings, one a line, each with the file's name.</summary>
    public string DescribeWarnings() => string.Join('\n', Warnings.Select(warning => warning.ToString(FileName)));
}
