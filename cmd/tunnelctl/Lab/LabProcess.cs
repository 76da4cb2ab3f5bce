using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace Tunnel.Ctl.Lab;

/// <summary>A child of this program: its output is kept, and it ends with the trial.</summary>
internal sealed class LabProcess : IAsyncDisposable
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(8);

    // A second or two as a rule, a quarter of a minute on an emulated processor. One that cannot start ends, and is not waited for.
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private bool _disposed;

    private LabProcess(Process process) => _process = process;

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    public string Output
    {
        get
        {
            lock (_output)
                return _output.ToString();
        }
    }

    /// <param name="netns">Runs in this network namespace; null: where this program runs.</param>
    /// <param name="command">The program and its arguments.</param>
    public static LabProcess Start(string? netns, params string[] command)
    {
        string[] all = netns is null ? command : ["ip", "netns", "exec", netns, .. command];
        var info = new ProcessStartInfo(all[0], all[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        var process = new Process { StartInfo = info };
        var started = new LabProcess(process);
        process.OutputDataReceived += (_, e) => started.Append(e.Data);
        process.ErrorDataReceived += (_, e) => started.Append(e.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return started;
    }

    /// <summary>Runs a command to its end.</summary>
    /// <exception cref="LabException">It failed; the message has what it printed.</exception>
    public static async Task<string> RunAsync(string? netns, CancellationToken cancel, params string[] command)
    {
        await using LabProcess process = Start(netns, command);
        await process._process.WaitForExitAsync(cancel).ConfigureAwait(false);
        if (process._process.ExitCode != 0)
            throw new LabException($"{string.Join(' ', command)} failed: {process.Output}");
        return process.Output;
    }

    /// <summary>Waits for the text by which it says that it has started, for as long as it lives, up to a minute.</summary>
    /// <exception cref="LabException">It ended without that, or took longer; the message says which, and what it printed instead.</exception>
    public Task WaitForAsync(string text, CancellationToken cancel) => WaitForAsync(text, StartTimeout, cancel);

    /// <summary>Waits for a text in the output, so many times, for as long as it lives.</summary>
    /// <exception cref="LabException">It ended without that, or took longer.</exception>
    public async Task WaitForAsync(string text, TimeSpan timeout, CancellationToken cancel, int times = 1)
    {
        long start = Stopwatch.GetTimestamp();
        while (!HasSaid(text, times))
        {
            if (_process.HasExited)
            {
                await RequireAsync(text, times, cancel).ConfigureAwait(false);
                return;
            }

            if (Stopwatch.GetElapsedTime(start) > timeout)
                throw new LabException($"{Command} runs, and has not said \"{text}\" within {timeout.TotalSeconds:0} s; it printed:\n{Output}{StandsAt()}");
            await Task.Delay(20, cancel).ConfigureAwait(false);
        }
    }

    /// <summary>It has ended: what it said last may still be on its way here.</summary>
    private async Task RequireAsync(string text, int times, CancellationToken cancel)
    {
        await _process.WaitForExitAsync(cancel).ConfigureAwait(false);
        if (!HasSaid(text, times))
            throw new LabException($"{Command} ended with {_process.ExitCode} before it said \"{text}\"; it printed:\n{Output}");
    }

    /// <summary>What says nothing may not even be able to say why.</summary>
    private string StandsAt() => "its threads stand at:\n" + ThreadWaits.Describe(Id);

    private bool HasSaid(string text, int times) => Output.Split(text).Length > times;

    private string Command => $"{_process.StartInfo.FileName} {string.Join(' ', _process.StartInfo.ArgumentList)}";

    /// <summary>Processor seconds used, as of the last <see cref="StopAsync"/>.</summary>
    public double ProcessorSeconds { get; private set; }

    /// <summary>Asks it to stop (SIGTERM), as a service manager would, and waits.</summary>
    public async Task StopAsync()
    {
        if (_process.HasExited || ReadProcessorSeconds() is not { } seconds)
            return;
        ProcessorSeconds = seconds;
        using Process kill = Process.Start("kill", ["-TERM", _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        using var limit = new CancellationTokenSource(StopTimeout);
        await _process.WaitForExitAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Stops it; may be called again.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
            return;
        _disposed = true;
        await StopAsync().ConfigureAwait(false);
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }

    /// <summary>Null when it has ended meanwhile.</summary>
    private double? ReadProcessorSeconds()
    {
        try
        {
            return _process.TotalProcessorTime.TotalSeconds;
        }
        catch (Exception e) when (e is Win32Exception or InvalidOperationException)
        {
            return null;
        }
    }

    private void Append(string? line)
    {
        if (line is null)
            return;
        lock (_output)
            _output.AppendLine(line);
    }
}

/// <summary>A trial cannot go on; the message says why.</summary>
internal sealed class LabException(string message) : Exception(message);
