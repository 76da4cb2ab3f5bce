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

    private static ToolResult Finish(Process process, string? input)
    {
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        if (input is not null)
            process.StandardInput.Write(input);
        process.StandardInput.Close();
        if (!process.WaitForExit(TimeoutMilliseconds))
        {
            process.Kill(entireProcessTree: true);
            return new ToolResult(-1, string.Empty, $"no answer within {TimeoutMilliseconds / 1000} s");
        }

        return new ToolResult(process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
    }
}
