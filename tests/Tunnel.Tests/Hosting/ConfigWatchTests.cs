using System.IO.Pipes;
using Tunnel.App.Hosting;

namespace Tunnel.Tests.Hosting;

/// <summary>
/// A change is told until it is taken, and taken once. The system's own watching goes on beside the looks here, which changes nothing of that.
/// </summary>
public sealed class ConfigWatchTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("config-watch");
    private int _taken;

    [Fact]
    public void AChangeIsTakenOnceByWhoeverComesFirst()
    {
        string file = Write("first");
        using ConfigWatch watch = Watch(file);
        Write("second");
        AssertTaken(1, watch);
        Assert.False(watch.TakeChange());
        AssertTaken(1, watch);
    }

    /// <summary>Somebody asks before the watch has seen that the file is whole.</summary>
    [Fact]
    public void WhatWasTakenOnRequestIsNotToldAgain()
    {
        string file = Write("first");
        using var told = new ManualResetEventSlim();
        using var watch = new ConfigWatch([file], told.Set);
        Write("second");
        Assert.True(watch.TakeChange());
        Assert.False(watch.TakeChange());
        LookUntilSettled(watch);
        Assert.False(told.IsSet);
        Write("third");
        LookUntilSettled(watch);
        Assert.True(told.IsSet);
    }

    [Fact]
    public void WhoMayReadIsAChangeAndSoIsThatAFileIsGone()
    {
        string file = Write("first");
        using ConfigWatch watch = Watch(file);
        if (OperatingSystem.IsLinux())
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        AssertTaken(1, watch);
        File.Delete(file);
        AssertTaken(2, watch);
    }

    /// <summary>As a shell's <c>--config &lt;(decrypt ...)</c>: what it had was read at the start, and nothing more comes.</summary>
    [Fact]
    public void APipeNeverChanges()
    {
        using var pipe = new AnonymousPipeServerStream(PipeDirection.Out);
        using var watch = new ConfigWatch([$"/proc/self/fd/{pipe.ClientSafePipeHandle.DangerousGetHandle()}"], () => { });
        Assert.False(watch.TakeChange());
    }

    /// <summary>A look now and then must not wake the pool, whose threads look for more work before they sleep again.</summary>
    [Fact]
    public async Task ItLooksOnAThreadOfItsOwn()
    {
        string file = Write("first");
        var ofThePool = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var watch = new ConfigWatch([file], () => ofThePool.TrySetResult(Thread.CurrentThread.IsThreadPoolThread));
        Write("second");
        Assert.False(await ofThePool.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private ConfigWatch Watch(string file)
    {
        ConfigWatch? watch = null;
        return watch = new ConfigWatch([file], () => Interlocked.Add(ref _taken, watch!.TakeChange() ? 1 : 0));
    }

    private string Write(string content)
    {
        string path = Path.Combine(_folder.FullName, "tunnel.toml");
        File.WriteAllText(path, content);
        return path;
    }

    private void AssertTaken(int times, ConfigWatch watch)
    {
        LookUntilSettled(watch);
        // Its own looks may have been quicker to take it, and not be done with telling.
        SpinWait.SpinUntil(() => Volatile.Read(ref _taken) >= times, TimeSpan.FromSeconds(10));
        Assert.Equal(times, _taken);
    }

    /// <summary>A change counts when two looks see the same.</summary>
    private static void LookUntilSettled(ConfigWatch watch)
    {
        watch.Look();
        watch.Look();
    }
}
