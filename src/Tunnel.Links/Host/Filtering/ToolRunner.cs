using System.ComponentModel;
using System.Diagnostics;

namespace Tunnel.Links.Host.Filtering;

/// <summary>Runs a program with arguments and input and returns what it said.</summary>
internal delegate ToolResult RunTool(string tool, IReadOnlyList<string> arguments, string? input = null);

internal readonly record struct ToolResult(int ExitCode, string Output, string Error, bool IsMissing = false)
{
    internal bool Succeeded => !IsMissing && ExitCode == 0;

    internal void ThrowIfFailed()
    {
        if (IsMissing)
            throw new ToolException("not installed", isMissing: true);
        if (ExitCode != 0)
            throw new ToolException(Error.Length > 0 ? Error.Trim().ReplaceLineEndings(" ") : $"exit code {ExitCode}", isMissing: false);
    }
}

/// <summary>A program that is not there, or that did not do what it was asked.</summary>
internal sealed class ToolException(string message, bool isMissing) : Exception(message)
{
    internal bool IsMissing { get; } = isMissing;
}

/// <summary>Runs programs directly, without a shell, and not for ever.</summary>
internal static class ToolRunner
{
    private const int TimeoutMilliseconds = 10_000;

    // 128 and SIGKILL, as shells say it.
    private const int KilledCode = 128 + 9;

    private static readonly string[] Folders = ["/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/local/bin"];

    internal static ToolResult Run(string tool, IReadOnlyList<string> arguments, string? input = null)
    {
        // A service's PATH often lacks the sbin folders.
        string? path = Folders.Select(folder => Path.Combine(folder, tool)).FirstOrDefault(File.Exists);
        if (path is null)
            return new ToolResult(-1, string.Empty, string.Empty, IsMissing: true);

        var start = new ProcessStartInfo(path, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["LC_ALL"] = "C";
        try
        {
            using Process process = Process.Start(start)!;
            return Finish(process, input);
        }
        catch (Exception e) when (e is Win32Exception or IOException)
        {
            return new ToolResult(-1, string.Empty, e.Message);
        }
    }

    /// <summary>
    /// On this thread alone: many that run tools at once may have taken all of the pool's, and nobody would be left to read for them. The
    /// tools say little about errors, so that their pipe need not be read beside the other.
    /// </summary>
    private static ToolResult Finish(Process process, string? input)
    {
        using var limit = new Timer(_ => Kill(process), null, TimeoutMilliseconds, Timeout.Infinite);
        if (input is not null)
            process.StandardInput.Write(input);
        process.StandardInput.Close();
        // The process does not close what it has handed out, and an idle program's collector would, hours later.
        using StreamReader output = process.StandardOutput, error = process.StandardError;
        string said = output.ReadToEnd(), complained = error.ReadToEnd();
        if (process.WaitForExit(TimeoutMilliseconds) && process.ExitCode != KilledCode)
            return new ToolResult(process.ExitCode, said, complained);
        Kill(process);
        return new ToolResult(-1, string.Empty, $"no answer within {TimeoutMilliseconds / 1000} s");
    }

    private static void Kill(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception)
        {
            // It has ended by itself.
        }
    }
}
